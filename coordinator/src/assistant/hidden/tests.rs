//! What is taken out, and what stays.

use super::*;

const CANARY: &str = "hunter2-Canary";

#[test]
fn no_way_to_say_a_secret_leaves_it_in_the_text() {
    for text in [
        "set env DB_PASSWORD=hunter2-Canary for api",
        "set env DB_PASSWORD = hunter2-Canary for api",
        "set env DB_PASSWORD=\"hunter2-Canary with blanks\" for api",
        "set env DB_PASSWORD='hunter2-Canary' as secret for api",
        "set DB_PASSWORD to hunter2-Canary for api",
        "Set the DATABASE_URL for api-server to postgres://user:hunter2-Canary@host:5432/mydb",
        "set env GREETING=hunter2-Canary",
        "set env A=1 GREETING=hunter2-Canary B=2 for api",
        "GREETING=hunter2-Canary",
        "my DB_PASSWORD=hunter2-Canary, please set it",
        "the password is hunter2-Canary",
        "the secret is hunter2-Canary",
        "my password is hunter2-Canary please set it",
        "the database password for api is: hunter2-Canary",
        "set the database password to hunter2-Canary",
        "DB_PASSWORD: hunter2-Canary",
        "deploy https://user:hunter2-Canary@git.example.com/you/app.git",
        "deploy https://hunter2-Canary@git.example.com/you/app.git",
        "use ghp_hunter2-Canary0000000000000000",
        "please set env variable FOO to x hunter2-Canary",
        "SET ENV FOO=hunter2-Canary FOR API",
        "add secret TOKEN_X with value=hunter2-Canary",
        "here is my key:\n-----BEGIN RSA PRIVATE KEY-----\nhunter2-Canary\n-----END RSA PRIVATE KEY-----\nthanks",
        "set env KEY=-----BEGIN PRIVATE KEY-----\nhunter2-Canary\n",
        "accept all services and set env FOO=hunter2-Canary for api",
        "accept all services and then set secret env GREETING=hunter2-Canary for api",
        "could you now please be so kind and set GREETING to hunter2-Canary for api",
        "set env A=1 for api and set env GREETING=hunter2-Canary for web",
        "set env GREETING=hunter2-Canary for api and then make the plan",
        "https://h.example/x?access_token=hunter2-Canary",
        "set env FOO=a\tb hunter2-Canary for api",
    ] {
        let hidden = hide(text);
        assert!(!hidden.text.contains(CANARY), "{text:?} became {:?}", hidden.text);
        assert!(!format!("{hidden:?}").contains(CANARY), "Debug shows the value");
    }
}

#[test]
fn the_value_behind_a_placeholder_is_exactly_what_was_typed() {
    for (text, shown, value) in [
        ("set env A=x for api", "set env A=[hidden-1] for api", "x"),
        ("set env A=x y z for api", "set env A=[hidden-1] for api", "x y z"),
        ("set env A=x y z", "set env A=[hidden-1]", "x y z"),
        ("set env A=\"x for api\" for web", "set env A=\"[hidden-1]\" for web", "x for api"),
        ("set env A=p@ss=w0rd! for api as secret", "set env A=[hidden-1] for api as secret", "p@ss=w0rd!"),
        ("set env A=$(id);`x` for api", "set env A=[hidden-1] for api", "$(id);`x`"),
        (
            "set NODE_ENV to production for all services",
            "set NODE_ENV to [hidden-1] for all services",
            "production",
        ),
        ("set A_B for api to c d", "set A_B for api to [hidden-1]", "c d"),
        ("set env ÜX=1 K=ä for api", "set env ÜX=1 K=[hidden-1] for api", "ä"),
    ] {
        let hidden = hide(text);
        assert_eq!(hidden.text, shown);
        assert_eq!(hidden.vault.open("[hidden-1]"), Some(value), "{text}");
    }
}

#[test]
fn a_value_that_runs_into_the_sentence_is_not_kept_at_all() {
    let hidden = hide("set env A=one two for api and make the plan");
    assert_eq!((hidden.text.as_str(), hidden.vault.open("[hidden-1]")), ("set env A=[hidden]", None));
    let quoted = hide("set env A=\"one and two\" for api and make the plan");
    assert_eq!(quoted.text, "set env A=\"[hidden-1]\" for api and make the plan");
}

#[test]
fn sentences_without_secrets_stay_as_they_are() {
    for text in [
        "deploy https://git.example.com/you/app.git branch main",
        "set PORT of api to 8080",
        "set the port of api to 8080",
        "set start of api to gunicorn --bind 0.0.0.0:8000 app:app",
        "accept all services",
        "what does the token bucket do?",
        "roll back api to rel_01h455vb4pex5vsknk084sn02q",
        "a == b and c=d",
        "",
    ] {
        assert_eq!(hide(text).text, text, "{text}");
    }
}

#[test]
fn a_placeholder_from_an_earlier_message_stands_for_nothing() {
    let hidden = hide("set env A=[hidden-2] B=x C=y for api");
    assert!(!hidden.text.contains("A=[hidden-2]"));
    assert_eq!(hidden.vault.open("[hidden-1]"), Some("(hidden-2]"));
    assert!(is_copied_placeholder("(hidden-2]"));
    assert_eq!(hidden.vault.open("[hidden-0]"), None);
    assert_eq!(hidden.vault.open("[hidden-9]"), None);
}

#[test]
fn any_text_is_survived() {
    let long = "A=".repeat(4000);
    for text in [
        "=",
        "A=",
        "=A",
        ":",
        "a:",
        "://@",
        "x://@/",
        "[hidden-",
        "[hidden-1]",
        "\u{0}=\u{0}",
        "é=é",
        "-----BEGIN ",
        "-----BEGIN X-----",
        "set env 日本=本",
        &long,
    ] {
        let hidden = hide(text);
        assert!(hidden.text.len() <= text.len() * 14 + 14);
    }
}
