//! What `make demo-clean` removes, also when somebody deleted the demo's state directory first.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use hydron_tests::demo::clean::clean;
use hydron_tests::demo::state::{Remembered, State, agent_root};

use crate::docker::docker;
use crate::world::fresh_dir;

/// A demo of which only the traces stand: its agent's root, a process of it, things with its server's label.
struct Traces {
    state: State,
    process: Child,
    server: String,
}

impl Traces {
    fn make(dir: &Path) -> Self {
        let mut state = State::open(dir).unwrap();
        let root = agent_root(dir).unwrap();
        std::fs::create_dir_all(&root).unwrap();
        let server = format!("srv_{}", root.file_name().unwrap().to_string_lossy());
        state.remembered = Remembered {
            agent_root: Some(root.clone()),
            server: Some(server.clone()),
            ..Remembered::default()
        };
        state.save().unwrap();
        // It waits for a line that never comes, under the name and with the root of an agent.
        let mut shell = Command::new("sh");
        shell.args(["-c", "read line", "hydron-agent"]).arg(root.join("x")).stdin(Stdio::piped());
        let label = format!("hydron.server={server}");
        // Of two projects: what was made through the interface of the demo is of other ones than its own.
        for (project, name) in [("prj_one", "one"), ("prj_two", "two")] {
            let project = format!("hydron.project={project}");
            let name = format!("{server}-{name}");
            docker(&["volume", "create", "--label", &label, "--label", &project, &name]);
            docker(&["network", "create", "--label", &label, "--label", &project, &name]);
        }
        Self { state, process: shell.spawn().unwrap(), server }
    }

    fn left(&self) -> Vec<String> {
        let filter = format!("label=hydron.server={}", self.server);
        let lists = [["volume", "ls"], ["network", "ls"]];
        let names = lists.map(|[kind, list]| docker(&[kind, list, "--quiet", "--filter", &filter]));
        names.iter().flat_map(|names| names.lines().map(str::to_owned)).collect()
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = clean(self.state.dir());
    }
}

#[test]
fn a_demo_whose_state_directory_was_deleted_is_found_and_removed_whole() {
    let home = fresh_dir();
    let dir = home.join("hydron-demo");
    let mut traces = Traces::make(&dir);
    let another = agent_root(&home.join("elsewhere/hydron-demo")).unwrap();
    assert_ne!(agent_root(&dir).unwrap(), another, "each state directory has a root of its own");
    assert_eq!(traces.left().len(), 4);
    std::fs::remove_dir_all(&dir).unwrap();

    clean(&home.join("elsewhere/hydron-demo")).unwrap();
    assert_eq!(traces.left().len(), 4, "they are not another demo's");
    clean(&dir).unwrap();
    assert_eq!(traces.left(), Vec::<String>::new());
    assert!(!agent_root(&dir).unwrap().exists());
    assert!(!traces.process.wait().unwrap().success(), "it was ended");
    assert_eq!(Remembered::of(&dir).unwrap().map(|known| known.server), None);
    std::fs::remove_dir_all(&home).unwrap();
}
