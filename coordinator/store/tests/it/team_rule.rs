//! The rule of this crate, held by its text: a statement about a team's rows names the team.
//!
//! A query that forgot it would still find the right row most of the time, so tests of behaviour can miss one.

use std::path::Path;

/// Tables without a team: people, how they sign in, and the teams themselves.
const TEAMLESS: [&str; 8] = [
    "app_user",
    "session",
    "setup_link",
    "login_attempt",
    "login_address",
    "team",
    "schema_migration",
    "key_mark",
];

/// The statements that look across teams, by how they begin: who somebody is by a secret, and the system's own jobs.
const ACROSS_TEAMS: [&str; 18] = [
    // Whoever shows a secret does not say which team it belongs to; the row says it.
    "SELECT team_id, id, name, prefix, role, created_by, created_at, expires_at, last_used_at FROM api_token WHERE secret_hash = $1",
    "SELECT {COLUMNS} FROM enrollment_token WHERE id = $1",
    "SELECT t.id, t.name, t.created_at, m.role FROM member m JOIN team t ON t.id = m.team_id WHERE m.user_id = $1",
    // A connection that a certificate has proved.
    "UPDATE server SET last_seen_at = $2 WHERE id = $1",
    // Jobs: what to take up, what to clean up. Each row they return names its team.
    "UPDATE analysis SET held_until = $1, attempts = attempts + 1",
    "UPDATE analysis SET held_until = 0 WHERE held_until > 0",
    "SELECT id FROM server WHERE revoked_at >= $1",
    "DELETE FROM idempotency_key WHERE created_at <= $1",
    "SELECT run.team_id, run.project_id, CAST(SUM(log_chunk.length) AS BIGINT)",
    "DELETE FROM log_chunk WHERE (team_id, run_id, server_id, step, attempt, position) IN",
    "SELECT a.team_id, a.project_id, a.id, a.state FROM analysis a WHERE a.finished_at > $1",
    "SELECT r.team_id, r.project_id, r.id, r.state || '@'",
    "SELECT m.team_id, m.chat_id, m.id FROM message m",
    "SELECT team_id, id FROM run WHERE state IN",
    "SELECT team_id FROM run WHERE id = $1 AND state IN",
    "SELECT run.team_id, run.id FROM run JOIN run_part",
    "SELECT team_id, run_id, server_id, step, attempt FROM step_attempt WHERE log_state = 'open' AND log_length <= log_stored",
    "DELETE FROM agent_connection",
];

#[test]
fn every_statement_about_a_teams_rows_names_the_team() {
    let statements = statements(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(
        statements.len() > 150,
        "only {} statements were found: is the rule still held?",
        statements.len()
    );
    let nameless: Vec<&String> = statements.iter().filter(|sql| !names_the_team(sql)).collect();
    for known in ACROSS_TEAMS {
        assert!(
            nameless.iter().any(|sql| sql.starts_with(known)),
            "no statement is this exception any more: {known}"
        );
    }
    for sql in nameless {
        assert!(ACROSS_TEAMS.iter().any(|known| sql.starts_with(known)), "it does not name the team: {sql}");
    }
}

#[test]
fn the_rule_sees_a_forgotten_team() {
    assert!(names_the_team("SELECT id FROM run WHERE team_id = $1 AND id = $2"));
    assert!(names_the_team("SELECT r.id FROM run r JOIN x ON x.run_id = r.id AND r.team_id = $1"));
    assert!(names_the_team("INSERT INTO run (team_id, id) VALUES ($1, $2)"));
    for sql in [
        "SELECT id FROM run WHERE id = $1",
        "SELECT id FROM run WHERE (team_id = $1 OR TRUE) AND id = $2",
        "SELECT team_id FROM run WHERE id = $1",
        "UPDATE run SET state = $1 WHERE id = $2",
        "INSERT INTO run (id) VALUES ($1)",
    ] {
        assert!(!names_the_team(sql), "{sql}");
    }
}

fn names_the_team(sql: &str) -> bool {
    let words: Vec<&str> = sql.split_whitespace().collect();
    let inserts = sql.starts_with("INSERT INTO") && sql.contains("(team_id");
    let asks = words.windows(4).any(|four| {
        let [before, column, equals, value] = four else { return false };
        let column = column.rsplit('.').next() == Some("team_id");
        ["WHERE", "AND", "ON"].contains(before) && column && *equals == "=" && value.starts_with('$')
    });
    // No alternative opens it again on the same level.
    let reopened = words.windows(5).any(|five| five[1].ends_with("team_id") && five[4] == "OR");
    (inserts || asks) && !reopened || is_about_no_team(&words)
}

fn is_about_no_team(words: &[&str]) -> bool {
    let named = |word: &&str| ["FROM", "INTO", "UPDATE", "JOIN"].contains(word);
    // Rows that the statement brings itself are nobody's.
    let is_table = |word: &str| word != "SET" && word != "(VALUES";
    let tables: Vec<&str> =
        words.windows(2).filter(|two| named(&two[0]) && is_table(two[1])).map(|two| two[1]).collect();
    tables.iter().all(|table| TEAMLESS.contains(table))
}

/// Every SQL text of the sources, tests aside, on one line each.
fn statements(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(statements(&path));
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            found.extend(literals(code).into_iter().filter(|text| is_sql(text)));
        }
    }
    found
}

fn is_sql(text: &str) -> bool {
    ["SELECT ", "UPDATE ", "DELETE ", "INSERT ", "WITH "].iter().any(|verb| text.starts_with(verb))
}

/// The string literals of a source file, with their continued lines joined.
fn literals(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let code: String = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .fold(String::new(), |all, line| all + line + "\n");
    let mut rest = code.as_str();
    while let Some(begin) = rest.find('"') {
        let body = &rest[begin + 1..];
        let mut escaped = false;
        let end = body.find(|letter| {
            let ends = letter == '"' && !escaped;
            escaped = letter == '\\' && !escaped;
            ends
        });
        let Some(end) = end else { break };
        let joined = body[..end].replace("\\\n", " ");
        found.push(joined.split_whitespace().collect::<Vec<_>>().join(" "));
        rest = &body[end + 1..];
    }
    found
}
