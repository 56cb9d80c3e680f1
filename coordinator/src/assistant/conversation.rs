//! One exchange: a person's message is kept, a brain answers it with tools, the answer is kept.
//!
//! Rule: the message is durable before anything is done for it, and without the values it contained. Whoever hangs up
//! does not stop what was begun.

use hydron_domain::chat::{Chat, Message};
use hydron_proto::ids::{ChatId, MessageId};

use super::brain::{Brain, Reply, Turn};
use super::hidden::{Hidden, hide};
use super::rules::RulesBrain;
use super::tools::{Toolbox, situation};
use crate::app::AppState;
use crate::http::problem::Problem;
use crate::services::chats::{self, Said};
use crate::services::principal::{Permission, Principal};

/// Messages that a brain is reminded of.
const REMEMBERED: i64 = 60;

/// Says something in a chat; the message as kept, and the answer.
pub async fn say(
    app: &AppState,
    principal: &Principal,
    chat: ChatId,
    text: &str,
) -> Result<(Message, Message), Problem> {
    principal.authorize(&app.store, Permission::ChatsWrite)?;
    let chat = chats::get(app, principal, chat).await?;
    let hidden = hide(chats::check_text(text)?);
    let (earlier, _) = chats::messages(app, principal, chat.id, None, REMEMBERED).await?;
    let said = chats::add_user_message(app, principal, &chat, &hidden.text).await?;
    let (app, principal) = (app.clone(), principal.clone());
    let answering = async move {
        let reply = answer(&app, &principal, &chat, earlier, hidden, &RulesBrain).await;
        chats::add_reply(&app, &principal, &chat, reply).await
    };
    let answered = tokio::spawn(answering).await.map_err(|error| Problem::internal(&error))?;
    Ok((said, answered?))
}

async fn answer(
    app: &AppState,
    principal: &Principal,
    chat: &Chat,
    earlier: Vec<Message>,
    hidden: Hidden,
    brain: &dyn Brain,
) -> Said {
    let mut reply = Reply::new(app.ids.next(MessageId::new));
    match situation(app, principal, chat.project).await {
        Ok(situation) => {
            let tools = Toolbox::new(app, principal, chat.project, &hidden.vault, brain);
            let turn = Turn { text: hidden.text, situation, earlier };
            brain.answer(&turn, &tools, &mut reply).await;
        }
        Err(problem) => reply.problem(&problem.into()),
    }
    finish(app, principal, chat, reply).await
}

/// A reply that suggests nothing of its own suggests what the situation, as it is after it, allows.
async fn finish(app: &AppState, principal: &Principal, chat: &Chat, reply: Reply) -> Said {
    let Reply { id, text, cards, mut suggestions } = reply;
    if suggestions.is_empty()
        && let Ok(now) = situation(app, principal, chat.project).await
    {
        suggestions = now.next_steps().sentences;
    }
    Said { id, text, cards, suggestions }
}
