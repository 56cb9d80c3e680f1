// Owns the whole: providers and the routes.
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { Suspense } from "react";
import { BrowserRouter, Route, Routes } from "react-router";
import { keys } from "./api/keys";
import { Problem } from "./api/problem";
import { Boundary } from "./frame/boundary";
import { Gate } from "./frame/gate";
import { Waiting } from "./frame/waiting";
import { NotFound, Project, Projects, Server, Servers, Settings, Setup, Shell, SignIn } from "./pages";
import { Toaster } from "./ui/toast";

/** A session that has ended is noticed by whatever asks first; the gate then asks who is here, and shows the door. */
function noticeEnd(error: unknown): void {
  if (!(error instanceof Problem) || error.status !== 401 || cache.getQueryData(keys.me) === undefined) return;
  cache.setQueryData(keys.ended, true);
  void cache.resetQueries({ queryKey: keys.me });
}

const cache: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: noticeEnd }),
  mutationCache: new MutationCache({ onError: noticeEnd }),
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // What the server refused it will refuse again; a lost connection is worth two more tries.
      retry: (count, error) => count < 2 && !(error instanceof Problem && error.status >= 400 && error.status < 500),
    },
  },
});

export function App() {
  return (
    <QueryClientProvider client={cache}>
      <BrowserRouter>
        <Boundary>
          <Suspense fallback={<Waiting />}>
            <Routes>
              <Route path="/setup" element={<Setup />} />
              <Route path="/signin" element={<SignIn />} />
              <Route element={<Gate />}>
                <Route element={<Shell />}>
                  <Route index element={<Projects />} />
                  <Route path="projects/:projectId/:panel?/:itemId?" element={<Project />} />
                  <Route path="servers" element={<Servers />} />
                  <Route path="servers/:serverId" element={<Server />} />
                  <Route path="settings/:section?" element={<Settings />} />
                  <Route path="*" element={<NotFound />} />
                </Route>
              </Route>
            </Routes>
          </Suspense>
        </Boundary>
      </BrowserRouter>
      <Toaster />
    </QueryClientProvider>
  );
}
