// Owns giving a project another name.
import { useRenameProject } from "../api/projects";
import type { Project } from "../api/types";
import { RenameDialog } from "../ui/rename-dialog";

export function RenameProject({ project, onClose }: { project: Project; onClose: () => void }) {
  const rename = useRenameProject(project.id);
  const description = "Its addresses and what runs on servers keep their names.";
  return <RenameDialog title="Rename project" description={description} name={project.name} maxLength={80} rename={rename} onClose={onClose} />;
}
