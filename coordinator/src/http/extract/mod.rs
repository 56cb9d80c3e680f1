//! What handlers take from a request, with problems (never axum's plain text) when it does not fit.

mod body;
mod forwarded;
mod page;
mod path;
mod principal;
mod query;

pub use body::Body;
pub(crate) use body::read as read_body;
pub use page::{Page, PageQuery};
pub use path::Path;
pub(crate) use principal::refuse_other_sites;
pub use principal::{ClientAddress, authenticate};
pub use query::Query;
