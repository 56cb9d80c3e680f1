"""Two pages: one says hello, one queues a job."""

from django.http import HttpResponse
from django.urls import path

from .tasks import add


def index(request):
    return HttpResponse("Hello from Django\n")


def queue(request):
    add.delay(1, 2)
    return HttpResponse("queued\n", status=202)


urlpatterns = [path("", index), path("queue", queue)]
