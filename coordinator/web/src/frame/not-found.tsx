// Owns addresses that lead nowhere.
import { Compass } from "lucide-react";
import { LinkButton } from "../ui/button";
import { Empty } from "../ui/empty";

export default function NotFound() {
  return (
    <main className="flex-1 content-center">
      <h1 className="sr-only">Nothing here</h1>
      <Empty
        icon={Compass}
        title="Nothing at this address"
        action={<LinkButton to="/">All projects</LinkButton>}
      >
        <p>It may have been deleted, or it belongs to another team. Switch teams in the sidebar if you have several.</p>
      </Empty>
    </main>
  );
}
