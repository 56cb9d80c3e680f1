//! Go: main packages, and which of them is the server.
//!
//! One rule: a server is a main package that reaches a listening call through the module's own packages; its place in
//! the directory order says nothing (the anchors build the first directory under `cmd/`).

use std::collections::{BTreeMap, BTreeSet};

use hydron_domain::analysis::ServiceKind;

use super::node::version::tool_versions;
use super::{Scan, is_worker_name};
use crate::draft::{Draft, Found, Stack};
use crate::field::At;
use crate::path;
use crate::pattern::patterns;
use crate::repo::{File, Repo, Role, line_of};

patterns! {
    MODULE = r"(?m)^module\s+(\S+)";
    GO_LINE = r"(?m)^go\s+([\d.]+\S*)";
    TOOLCHAIN = r"(?m)^toolchain\s+go([\d.]+)";
    MAIN = r"(?m)^func\s+main\s*\(\s*\)";
    PACKAGE_MAIN = r"(?m)^package\s+main\b";
    LISTENS = r"ListenAndServe|http\.Serve\(|\.Serve\(|net\.Listen\(|\.Listen\(|fasthttp\.|ListenTLS";
    RUNS = r"\.Run\(|\.Start\(|\.StartServer\(|\.RunTLS\(|\.StartTLS\(";
    WORKS = r"\.Consume\(|ReadMessage\(|FetchMessage\(|\.Subscribe\(|asynq\.NewServer|worker\.New\(|ConsumerGroup|cron\.New\(";
}

/// Frameworks by module path, most specific first.
const FRAMEWORKS: [(&str, &str, u16); 11] = [
    ("github.com/gofiber/fiber", "fiber", 3000),
    ("github.com/labstack/echo", "echo", 1323),
    ("github.com/gin-gonic/gin", "gin", 8080),
    ("github.com/beego/beego", "beego", 8080),
    ("github.com/astaxie/beego", "beego", 8080),
    ("github.com/kataras/iris", "iris", 8080),
    ("github.com/gobuffalo/buffalo", "buffalo", 3000),
    ("github.com/go-chi/chi", "chi", 8080),
    ("github.com/danielgtaylor/huma", "huma", 8888),
    ("github.com/gorilla/mux", "net/http", 8080),
    ("google.golang.org/grpc", "grpc", 50051),
];

/// What the recipe writer needs.
#[derive(Debug, Clone, Default)]
pub(crate) struct GoFacts {
    /// Directory of `go.mod`; the main package's own without one.
    pub(crate) module_dir: String,
    /// Whether there is a `go.mod`.
    pub(crate) has_module: bool,
    pub(crate) has_sum: bool,
    /// Main package relative to the module: `.` or `./cmd/x`.
    pub(crate) package: String,
    pub(crate) binary: String,
    /// Whether a C library is linked (SQLite).
    pub(crate) cgo: bool,
    /// Directories that the program reads at run time (templates, migrations).
    pub(crate) assets: Vec<String>,
}

/// A module and its main packages.
struct Module {
    dir: String,
    name: String,
    text: String,
    manifest: bool,
    mains: Vec<String>,
}

/// What the packages of the repository say, by directory: modules use one another by their names.
#[derive(Default)]
struct Packages {
    /// Name and directory of every module, the longest name first.
    modules: Vec<(String, String)>,
    imports: BTreeMap<String, BTreeSet<String>>,
    listens: BTreeSet<String>,
    runs: BTreeSet<String>,
    works: BTreeSet<String>,
}

/// Finds Go services.
pub(crate) fn find(scan: &Scan<'_, '_>, found: &mut Found) {
    let repo = scan.repo;
    let mut module_dirs: BTreeSet<String> = repo
        .files()
        .iter()
        .filter(|f| f.name() == "go.mod" && f.role == Role::Normal)
        .map(|f| f.dir().to_owned())
        .collect();
    let loose: BTreeSet<String> = repo
        .files()
        .iter()
        .filter(|f| {
            f.extension() == "go"
                && f.role == Role::Normal
                && !module_dirs.iter().any(|m| path::within(&f.path, m))
        })
        .filter(|f| repo.text(f).is_some_and(has_main))
        .map(|f| f.dir().to_owned())
        .collect();
    module_dirs.extend(loose);
    let mut packages = Packages::default();
    let mut modules: Vec<Module> = Vec::new();
    for dir in &module_dirs {
        if !dir.is_empty() && repo.is_support(dir) {
            found.reject(dir, "go.support", "a Go module for tests, docs or tooling");
            continue;
        }
        modules.push(read(repo, dir, &module_dirs, &mut packages));
    }
    let named = modules.iter().filter(|m| !m.name.is_empty());
    packages.modules = named.map(|m| (m.name.clone(), m.dir.clone())).collect();
    packages.modules.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    for module in &modules {
        services(scan, found, module, &packages);
    }
}

fn read(repo: &Repo<'_>, dir: &str, all: &BTreeSet<String>, packages: &mut Packages) -> Module {
    let text = repo.read(&path::join(dir, "go.mod")).unwrap_or_default().to_owned();
    let name = MODULE.captures(&text).and_then(|c| c.get(1)).map_or(String::new(), |m| m.as_str().to_owned());
    let manifest = !text.is_empty();
    let mut module = Module { dir: dir.to_owned(), name, text, manifest, mains: Vec::new() };
    let nested = |f: &File| all.iter().any(|d| d != dir && path::within(d, dir) && path::within(&f.path, d));
    let files: Vec<&File> =
        repo.under(dir).filter(|f| f.extension() == "go" && f.role == Role::Normal && !nested(f)).collect();
    for (file, code) in files.iter().zip(repo.each_text(&files, |file| file, |_, text| Code::read(text))) {
        let Some(code) = code else { continue };
        if code.main && !module.mains.iter().any(|main| main == file.dir()) {
            module.mains.push(file.dir().to_owned());
        }
        packages.take(file.dir(), code);
    }
    module.mains.sort();
    module
}

/// What one file says.
struct Code {
    imports: Vec<String>,
    runs: bool,
    listens: bool,
    works: bool,
    main: bool,
}

impl Code {
    fn read(text: &str) -> Self {
        Self {
            imports: imports(text).map(|(_, import)| import.to_owned()).collect(),
            runs: RUNS.is_match(text),
            listens: LISTENS.is_match(text),
            works: WORKS.is_match(text),
            main: has_main(text) && !ignored(text),
        }
    }
}

impl Packages {
    fn take(&mut self, dir: &str, code: Code) {
        self.imports.entry(dir.to_owned()).or_default().extend(code.imports);
        for (says, dirs) in
            [(code.runs, &mut self.runs), (code.listens, &mut self.listens), (code.works, &mut self.works)]
        {
            if says {
                dirs.insert(dir.to_owned());
            }
        }
    }

    /// The directory that an import path names, if it is a package of this repository.
    fn locate(&self, import: &str) -> Option<String> {
        let (dir, rest) = self.modules.iter().find_map(|(name, dir)| {
            let rest = import.strip_prefix(name.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then_some((dir, rest.trim_start_matches('/')))
        })?;
        let local = if rest.is_empty() { dir.clone() } else { path::join(dir, rest) };
        self.imports.contains_key(&local).then_some(local)
    }

    /// Directories that a main package reaches by imports.
    fn reach(&self, main: &str) -> BTreeSet<String> {
        let mut seen = BTreeSet::from([main.to_owned()]);
        let mut queue = vec![main.to_owned()];
        while let Some(dir) = queue.pop() {
            let imports = self.imports.get(&dir).into_iter().flatten();
            let local = imports.filter_map(|import| self.locate(import));
            queue.extend(local.filter(|dir| seen.insert(dir.clone())).collect::<Vec<_>>());
        }
        seen
    }
}

fn has_main(text: &str) -> bool {
    text.contains("package main") && PACKAGE_MAIN.is_match(text) && MAIN.is_match(text)
}

/// The imports of a file with their offsets: they stand before the first declaration.
pub(crate) fn imports(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut offset = 0;
    let mut block = false;
    let lines = text.split_inclusive('\n').map(move |line| {
        let start = offset;
        offset += line.len();
        (start, line)
    });
    let declares =
        |line: &str| ["func ", "type ", "var ", "const "].iter().any(|word| line.starts_with(word));
    let head = lines.take_while(move |(_, line)| !declares(line));
    head.filter_map(move |(start, line)| {
        let import = line
            .trim_start()
            .strip_prefix("import")
            .is_some_and(|rest| rest.starts_with([' ', '(', '\t', '"']));
        let wanted = block || import;
        block = (block || import && line.contains('(')) && !line.contains(')');
        let from = line.find('"').filter(|_| wanted)? + 1;
        let path = line.get(from..)?.split('"').next().filter(|path| !path.is_empty())?;
        let comment = line.trim_start().starts_with("//");
        (!comment).then_some((start + from, path))
    })
}

fn ignored(code: &str) -> bool {
    code.lines().take(6).any(|l| {
        (l.starts_with("//go:build") || l.starts_with("// +build"))
            && (l.contains("ignore") || l.contains("tools"))
    })
}

fn services(scan: &Scan<'_, '_>, found: &mut Found, module: &Module, packages: &Packages) {
    let mut servers: Vec<(&String, ServiceKind)> = Vec::new();
    for main in &module.mains {
        let reach = packages.reach(main);
        let name = path::base(main);
        let framework = reach
            .iter()
            .filter_map(|d| packages.imports.get(d))
            .flatten()
            .any(|i| FRAMEWORKS.iter().any(|(m, id, _)| *id != "net/http" && i.starts_with(m)));
        let runs = framework && reach.iter().any(|d| packages.runs.contains(d));
        let serves =
            runs || reach.iter().any(|d| packages.listens.contains(d)) && uses_network(packages, &reach);
        let works = reach.iter().any(|d| packages.works.contains(d));
        let helper = main != &module.dir
            && (scan.repo.is_support(main) || is_helper(name) || is_internal(&module.dir, main));
        if helper {
            found.reject(main, "go.helper", "a main package for tooling, stories, migrations or a client");
        } else if serves && !(works && is_worker_name(name)) {
            servers.push((main, ServiceKind::Web));
        } else if works {
            servers.push((main, ServiceKind::Worker));
        } else {
            let dockerfile = scan.repo.in_dir(main).any(|f| f.name() == "Dockerfile");
            if dockerfile && module.mains.len() == 1 {
                servers.push((main, ServiceKind::Worker));
            } else {
                found.reject(
                    main,
                    "go.no_server",
                    "a main package that neither listens nor consumes a queue: a command line program",
                );
            }
        }
    }
    prefer_own_listeners(module, packages, &mut servers, found);
    let alone = servers.len() == 1;
    for (main, kind) in servers {
        let only =
            alone && (module.mains.len() == 1 || !main.contains("cmd/") && main.as_str() != module.dir);
        let draft = draft(scan, module, packages, main, kind, only);
        found.drafts.push(draft);
    }
}

/// Clients often import the package that also holds the server; if some main's name or own code serves, the others are clients.
fn prefer_own_listeners(
    module: &Module,
    packages: &Packages,
    servers: &mut Vec<(&String, ServiceKind)>,
    found: &mut Found,
) {
    if servers.len() < 2 {
        return;
    }
    let strong = |dir: &str| {
        let name = path::base(dir);
        dir == module.dir
            || packages.listens.contains(dir)
            || name.len() > 3 && name.ends_with('d')
            || name.contains("server")
            || name.contains("api")
            || name.contains("service")
            || name.contains("web")
    };
    let clear: Vec<(&String, ServiceKind)> =
        servers.iter().filter(|(d, k)| strong(d) || *k == ServiceKind::Worker).copied().collect();
    if !clear.is_empty() && clear.len() < servers.len() {
        for (dir, _) in servers.iter().filter(|s| !clear.contains(s)) {
            found.reject(dir, "go.client", "a main package beside the server's: a client or tool");
        }
        *servers = clear;
    }
}

/// A main package under `internal` of another package makes something for that package: `plugins/vm/internal/types`.
fn is_internal(module: &str, main: &str) -> bool {
    let inside = path::relative(main, module).unwrap_or_default();
    inside.split('/').skip(1).any(|part| part == "internal")
}

fn is_helper(name: &str) -> bool {
    path::words(name).any(|w| {
        matches!(
            w.as_str(),
            "storybook"
                | "migrate"
                | "migration"
                | "migrations"
                | "gen"
                | "generate"
                | "codegen"
                | "cli"
                | "ctl"
                | "tool"
                | "tools"
                | "example"
                | "seed"
                | "seeder"
                | "bench"
                | "loadgen"
                | "client"
                | "mock"
                | "hack"
                | "lint"
        )
    }) || name.ends_with("ctl")
}

fn uses_network(packages: &Packages, reach: &BTreeSet<String>) -> bool {
    let network = |import: &String| {
        import == "net/http"
            || import == "net"
            || FRAMEWORKS.iter().any(|(m, _, _)| import.starts_with(m))
            || import.contains("fasthttp")
    };
    reach.iter().filter_map(|d| packages.imports.get(d)).flatten().any(network)
}

fn draft(
    scan: &Scan<'_, '_>,
    module: &Module,
    packages: &Packages,
    main: &str,
    kind: ServiceKind,
    only: bool,
) -> Draft {
    let repo = scan.repo;
    let dir = if only { module.dir.clone() } else { main.to_owned() };
    let file = path::join(&module.dir, "go.mod");
    let reach = packages.reach(main);
    let mut draft = Draft::new(&dir, kind, "go", Stack::Image);
    let binary = binary_name(module, main);
    if dir.is_empty() || dir == module.dir {
        draft.name.offer(binary.clone(), 0.65, "go.name.module", At::file(&file));
    }
    if !dir.is_empty() {
        draft.name.offer(path::base(&dir), 0.7, "name.directory", At::nowhere());
    }
    let imported =
        |m: &str| reach.iter().filter_map(|d| packages.imports.get(d)).flatten().any(|i| i.starts_with(m));
    let framework = FRAMEWORKS.iter().find(|(m, _, _)| imported(m));
    match (framework, kind) {
        (Some((m, id, port)), ServiceKind::Web) => {
            draft.framework.offer(*id, 0.95, &format!("go.{id}.import"), At::find(repo, &file, m));
            draft.port.offer(*port, 0.3, "go.port.framework", At::nowhere());
            if *m == "github.com/gorilla/mux" {
                draft.also.insert("gorilla/mux".to_owned());
            }
        }
        (None, ServiceKind::Web) => {
            draft.framework.offer("net/http", 0.8, "go.net_http", At::nowhere());
            draft.port.offer(8080_u16, 0.25, "go.port.default", At::nowhere());
        }
        (_, ServiceKind::Worker | ServiceKind::Static) => {
            draft.framework.offer("none", 0.6, "go.worker", At::nowhere());
        }
    }
    draft.package_manager.offer(
        "go modules",
        if module.manifest { 0.95 } else { 0.5 },
        "go.modules",
        At::file(&file),
    );
    version(repo, module, &file, &mut draft);
    let package = path::relative(main, &module.dir)
        .filter(|p| !p.is_empty())
        .map_or(".".to_owned(), |p| format!("./{p}"));
    draft.build.offer(format!("go build -o {binary} {package}"), 0.8, "go.build", At::file(&file));
    draft.start.offer(format!("./{binary}"), 0.6, "go.start", At::nowhere());
    draft.why.offer(
        "a main package that listens or consumes",
        0.85,
        "go.service",
        At::file(&path::join(main, "main.go")),
    );
    draft.sources = reach.iter().cloned().collect();
    draft.sources.push(dir.clone());
    draft.stack = Stack::Go(GoFacts {
        module_dir: module.dir.clone(),
        has_module: module.manifest,
        has_sum: repo.has(&path::join(&module.dir, "go.sum")),
        package,
        binary,
        cgo: imported("github.com/mattn/go-sqlite3")
            || imported("gorm.io/driver/sqlite")
            || imported("github.com/jinzhu/gorm/dialects/sqlite")
            || module.text.contains("mattn/go-sqlite3"),
        assets: assets(repo, &module.dir),
    });
    draft
}

fn assets(repo: &Repo<'_>, dir: &str) -> Vec<String> {
    let names = [
        "templates",
        "views",
        "static",
        "public",
        "migrations",
        "assets",
        "web",
        "config",
        "configs",
        "html",
    ];
    let present = names.iter().filter(|n| repo.has_dir(&path::join(dir, n)));
    present
        .filter(|n| !repo.under(&path::join(dir, n)).any(|f| f.extension() == "go"))
        .map(|n| (*n).to_owned())
        .collect()
}

fn binary_name(module: &Module, main: &str) -> String {
    let last = path::base(main);
    let versioned = module
        .name
        .rsplit('/')
        .find(|p| !(p.starts_with('v') && p.len() <= 3 && p.ends_with(|c: char| c.is_ascii_digit())));
    let name = if main == module.dir || matches!(last, "cmd" | "src" | "main" | "app") {
        versioned.filter(|n| !n.is_empty()).unwrap_or(last)
    } else {
        last
    };
    if name.is_empty() { "app".to_owned() } else { name.to_owned() }
}

fn version(repo: &Repo<'_>, module: &Module, file: &str, draft: &mut Draft) {
    for (pattern, confidence, rule) in
        [(&*TOOLCHAIN, 0.95, "go.version.toolchain"), (&*GO_LINE, 0.92, "go.version.line")]
    {
        if let Some(found) = pattern.captures(&module.text).and_then(|c| c.get(1)) {
            let line = line_of(&module.text, found.as_str());
            draft.version.offer(found.as_str(), confidence, rule, At { file: Some(file.to_owned()), line });
        }
    }
    if let Some((version, at)) = tool_versions(repo, &module.dir, &["go", "golang"]) {
        draft.version.offer(version, 0.9, "go.version.tool_versions", at);
    }
}
