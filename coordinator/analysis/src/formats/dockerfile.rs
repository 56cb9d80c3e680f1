//! Dockerfiles: stages and instructions with their lines, heredocs and continuations resolved.
//!
//! One rule: this reads the text; whether the file is fit for production is judged in `recipe::judge`.

use super::command;

/// One instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Instruction {
    /// Upper case: `RUN`, `COPY` …
    pub(crate) name: String,
    pub(crate) args: String,
    pub(crate) line: u32,
}

/// One stage, from its `FROM` on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Stage {
    pub(crate) image: String,
    pub(crate) alias: Option<String>,
    pub(crate) line: u32,
    pub(crate) instructions: Vec<Instruction>,
}

/// A parsed file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Dockerfile {
    /// `ARG`s before the first stage.
    pub(crate) args: Vec<(String, Option<String>)>,
    pub(crate) stages: Vec<Stage>,
}

impl Dockerfile {
    /// Parses; an empty file has no stages.
    pub(crate) fn parse(text: &str) -> Self {
        let mut file = Self::default();
        for instruction in instructions(text) {
            if instruction.name == "FROM" {
                file.stages.push(stage(&instruction, &file.args));
            } else if let Some(stage) = file.stages.last_mut() {
                stage.instructions.push(instruction);
            } else if instruction.name == "ARG" {
                let (name, value) = split_assignment(&instruction.args);
                file.args.push((name, value));
            }
        }
        file
    }

    /// The stage that is built: the named one, else the last.
    pub(crate) fn product(&self, target: Option<&str>) -> Option<&Stage> {
        let named = target.and_then(|t| self.stages.iter().find(|s| s.alias.as_deref() == Some(t)));
        named.or_else(|| self.stages.last())
    }

    /// The stage and those it is built from (`FROM alias`), nearest first.
    pub(crate) fn lineage(&self, target: Option<&str>) -> Vec<&Stage> {
        let mut chain = Vec::new();
        let mut next = self.product(target);
        while let Some(stage) = next {
            chain.push(stage);
            if chain.len() > 32 {
                break;
            }
            next = self
                .stages
                .iter()
                .find(|s| s.line < stage.line && s.alias.as_deref() == Some(stage.image.as_str()));
        }
        chain
    }

    /// The base image under the product.
    pub(crate) fn base_image(&self, target: Option<&str>) -> Option<&str> {
        self.lineage(target).last().map(|s| s.image.as_str())
    }

    /// The last instruction of a name in the product's lineage.
    pub(crate) fn last(&self, target: Option<&str>, name: &str) -> Option<&Instruction> {
        self.lineage(target).into_iter().find_map(|s| s.instructions.iter().rev().find(|i| i.name == name))
    }

    /// All instructions of a name in the product's lineage, base first.
    pub(crate) fn all(&self, target: Option<&str>, name: &str) -> Vec<&Instruction> {
        let chain = self.lineage(target);
        chain.into_iter().rev().flat_map(|s| s.instructions.iter().filter(|i| i.name == name)).collect()
    }

    /// Variables known in the product: `ARG` defaults and `ENV`.
    pub(crate) fn variables(&self, target: Option<&str>) -> Vec<(String, String)> {
        let mut known: Vec<(String, String)> = Vec::new();
        for (name, value) in &self.args {
            known.push((name.clone(), value.clone().unwrap_or_default()));
        }
        for stage in self.lineage(target).into_iter().rev() {
            for instruction in &stage.instructions {
                match instruction.name.as_str() {
                    "ARG" => {
                        let (name, value) = split_assignment(&instruction.args);
                        if let Some(value) = value {
                            known.push((name, expand(&value, &known)));
                        }
                    }
                    "ENV" => {
                        for (name, value) in env_pairs(&instruction.args) {
                            known.push((name, expand(&value, &known)));
                        }
                    }
                    _ => {}
                }
            }
        }
        known
    }

    /// Exposed TCP ports with their lines.
    pub(crate) fn ports(&self, target: Option<&str>) -> Vec<(u16, u32)> {
        let known = self.variables(target);
        let mut ports = Vec::new();
        for instruction in self.all(target, "EXPOSE") {
            for word in expand(&instruction.args, &known).split_whitespace() {
                let (number, protocol) = word.split_once('/').unwrap_or((word, "tcp"));
                let first = number.split('-').next().unwrap_or_default();
                if let (Ok(port), "tcp") = (first.parse::<u16>(), protocol.to_ascii_lowercase().as_str()) {
                    ports.push((port, instruction.line));
                }
            }
        }
        ports
    }

    /// The command that runs: entrypoint and command joined, as one line of text.
    pub(crate) fn start(&self, target: Option<&str>) -> Option<(String, u32)> {
        let entrypoint = self.last(target, "ENTRYPOINT");
        let command = self.last(target, "CMD");
        let words = |i: &Instruction| exec_form(&i.args).map_or_else(|| i.args.clone(), |w| join(&w));
        match (entrypoint, command) {
            (Some(e), Some(c)) if c.line > e.line || exec_form(&c.args).is_some() => {
                Some((format!("{} {}", words(e), words(c)).trim().to_owned(), c.line))
            }
            (Some(e), _) => Some((words(e), e.line)),
            (None, Some(c)) => {
                let text = words(c);
                let runtime = self.base_image(target).and_then(|image| runtime_of(image, &text));
                Some((runtime.map_or_else(|| text.clone(), |r| format!("{r} {text}")), c.line))
            }
            (None, None) => None,
        }
    }
}

/// What a base image's own entrypoint puts before a command that is only a file or an option of the runtime.
fn runtime_of(image: &str, command: &str) -> Option<&'static str> {
    let first = command.split_whitespace().next()?;
    let script = |ends: &[&str]| first.starts_with('-') || ends.iter().any(|e| first.ends_with(e));
    let image = image.split(['@']).next().unwrap_or_default();
    let name = image.rsplit('/').next().unwrap_or_default().split(':').next().unwrap_or_default();
    let bare = image.contains("distroless/") || image.contains("chainguard/");
    match name {
        _ if bare && name.starts_with("nodejs") && first != "node" => Some("node"),
        "node" if script(&[".js", ".mjs", ".cjs"]) => Some("node"),
        _ if bare && name.starts_with("python") && script(&[".py"]) => Some("python3"),
        _ if bare && name.starts_with("java") && script(&[".jar"]) => Some("java -jar"),
        _ => None,
    }
}

/// `["a", "b"]` of an exec form.
pub(crate) fn exec_form(args: &str) -> Option<Vec<String>> {
    let args = args.trim();
    if !args.starts_with('[') {
        return None;
    }
    serde_json::from_str(args).ok()
}

/// Words as one shell-readable line.
pub(crate) fn join(words: &[String]) -> String {
    let quoted = words.iter().map(|w| {
        if !w.is_empty() && !w.contains(|c: char| c.is_whitespace() || c == '"' || c == '\'') {
            w.clone()
        } else {
            format!("\"{}\"", w.replace('"', "\\\""))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// `A=b C="d e"` or the old `A b` form.
pub(crate) fn env_pairs(args: &str) -> Vec<(String, String)> {
    let words = command::split(args);
    if words.first().is_some_and(|w| !w.contains('=')) {
        let (name, value) = args.trim().split_once(char::is_whitespace).unwrap_or((args.trim(), ""));
        return vec![(name.to_owned(), value.trim().trim_matches('"').to_owned())];
    }
    words.iter().filter_map(|w| w.split_once('=')).map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
}

/// Replaces `$NAME`, `${NAME}` and `${NAME:-default}` by known values.
pub(crate) fn expand(text: &str, known: &[(String, String)]) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let after = after.strip_prefix('$').unwrap_or(after);
        let (name, default, tail) = reference(after);
        let value =
            known.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).filter(|v| !v.is_empty());
        match (name.is_empty(), value.or(default)) {
            (true, _) => out.push('$'),
            (false, Some(value)) => out.push_str(value),
            (false, None) => {}
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

fn reference(after: &str) -> (&str, Option<&str>, &str) {
    if let Some(braced) = after.strip_prefix('{') {
        let (inner, tail) = braced.split_once('}').unwrap_or((braced, ""));
        let name_end = inner.find([':', '-', '+', '?']).unwrap_or(inner.len());
        let (name, operator) = inner.split_at(name_end);
        let default = operator.strip_prefix(":-").or_else(|| operator.strip_prefix('-'));
        return (name, default, tail);
    }
    let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
    let (name, tail) = after.split_at(end);
    (name, None, tail)
}

fn stage(from: &Instruction, args: &[(String, Option<String>)]) -> Stage {
    let known: Vec<(String, String)> =
        args.iter().map(|(n, v)| (n.clone(), v.clone().unwrap_or_default())).collect();
    let words: Vec<&str> = from.args.split_whitespace().filter(|w| !w.starts_with("--")).collect();
    let image = words.first().map(|w| expand(w, &known)).unwrap_or_default();
    let alias = words.iter().position(|w| w.eq_ignore_ascii_case("as")).and_then(|at| words.get(at + 1));
    Stage { image, alias: alias.map(|a| (*a).to_owned()), line: from.line, instructions: Vec::new() }
}

fn split_assignment(args: &str) -> (String, Option<String>) {
    match args.trim().split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.trim_matches(['"', '\'']).to_owned())),
        None => (args.trim().to_owned(), None),
    }
}

fn instructions(text: &str) -> Vec<Instruction> {
    let mut list = Vec::new();
    let mut lines = text.lines().zip(1u32..);
    while let Some((line, number)) = lines.next() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut logical = String::new();
        let mut current = line.to_owned();
        while let Some(head) = current.strip_suffix('\\') {
            logical.push_str(head.trim_end());
            logical.push(' ');
            current = String::new();
            for (next, _) in lines.by_ref() {
                let next = next.trim();
                if !next.is_empty() && !next.starts_with('#') {
                    next.clone_into(&mut current);
                    break;
                }
            }
            if current.is_empty() {
                break;
            }
        }
        logical.push_str(&current);
        if let Some(marker) = heredoc(&logical) {
            for (next, _) in lines.by_ref() {
                if next.trim() == marker {
                    break;
                }
                logical.push('\n');
                logical.push_str(next);
            }
        }
        let (name, args) = logical.split_once(char::is_whitespace).unwrap_or((&logical, ""));
        list.push(Instruction {
            name: name.to_ascii_uppercase(),
            args: args.trim().to_owned(),
            line: number,
        });
    }
    list
}

fn heredoc(line: &str) -> Option<String> {
    let after = line.split_once("<<")?.1.trim_start_matches('-').trim_start_matches(['"', '\'']);
    let marker: String = after.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    (!marker.is_empty() && (line.starts_with("RUN") || line.starts_with("COPY"))).then_some(marker)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MULTI: &str = "ARG V=20\nFROM node:${V}-slim AS build\nWORKDIR /app\nRUN npm ci && \\\n    # why\n    npm run build\n\
        FROM build AS test\nRUN npm test\nFROM nginx:1.25 as final\nENV PORT=8080 NAME=\"a b\"\nEXPOSE ${PORT} 53/udp\n\
        COPY --from=build /app/dist /usr/share/nginx/html\nCMD [\"nginx\", \"-g\", \"daemon off;\"]\n";

    #[test]
    fn stages_args_and_ports_are_resolved() {
        let file = Dockerfile::parse(MULTI);
        assert_eq!(file.stages.len(), 3);
        assert_eq!(file.stages[0].image, "node:20-slim");
        assert_eq!(file.base_image(Some("test")), Some("node:20-slim"));
        assert_eq!(file.ports(None), vec![(8080, 11)]);
        assert_eq!(file.start(None).unwrap().0, "nginx -g \"daemon off;\"");
        assert_eq!(file.stages[0].instructions[1].args, "npm ci && npm run build");
    }

    #[test]
    fn a_base_image_that_brings_its_runtime_is_part_of_the_command() {
        for (text, start) in [
            ("FROM gcr.io/distroless/nodejs22-debian12:nonroot\nCMD [\"index.js\"]\n", "node index.js"),
            ("FROM node:22\nCMD [\"server.js\"]\n", "node server.js"),
            ("FROM node:22\nCMD [\"npm\", \"start\"]\n", "npm start"),
            ("FROM gcr.io/distroless/java21\nCMD [\"app.jar\"]\n", "java -jar app.jar"),
        ] {
            assert_eq!(Dockerfile::parse(text).start(None).unwrap().0, start);
        }
    }

    #[test]
    fn a_heredoc_is_one_instruction() {
        let file = Dockerfile::parse("FROM a\nRUN <<EOF\nCMD no\nEOF\nCMD yes\n");
        assert_eq!(file.stages[0].instructions.len(), 2);
        assert_eq!(file.start(None).unwrap().0, "yes");
    }

    #[test]
    fn a_stage_that_names_itself_does_not_loop() {
        let file = Dockerfile::parse("FROM x AS x\nFROM x AS x\n");
        assert!(file.lineage(None).len() <= 3);
    }
}
