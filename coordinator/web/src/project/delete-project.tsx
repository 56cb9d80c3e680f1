// Owns deleting a project: only possible when nothing of it is live.
import { useNavigate } from "react-router";
import { useDeleteProject } from "../api/projects";
import type { Project } from "../api/types";
import { after } from "../ui/after";
import { Confirm } from "../ui/confirm";
import { say } from "../ui/toast";

export function DeleteProject({ project, onClose }: { project: Project; onClose: () => void }) {
  const remove = useDeleteProject(project.id);
  const navigate = useNavigate();
  return (
    <Confirm
      open
      onOpenChange={onClose}
      title="Delete this project?"
      action="Delete project"
      phrase={project.name}
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => {
        after(remove.mutateAsync(), () => {
          say("Project deleted");
          void navigate("/");
        });
      }}
    >
      <p>Its chats, services, plans and the history of its runs are deleted for everybody in the team. A project with live services cannot be deleted.</p>
    </Confirm>
  );
}
