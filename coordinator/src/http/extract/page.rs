//! Lists in pages: `{items, next_cursor}`, asked on with `?cursor=`.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::http::problem::Problem;

/// Items a page when the caller does not say.
const DEFAULT: i64 = 50;
const MOST: i64 = 200;

/// What a caller may say about a page.
#[derive(Debug, Default, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Where the page before this one ended: its `next_cursor`.
    #[param(pattern = "^[0-9]{1,18}$")]
    pub cursor: Option<String>,
    /// At most so many items (1–200, 50 when left out).
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Ask for the next page with this; null on the last one.
    pub next_cursor: Option<String>,
}

impl PageQuery {
    /// How many items.
    pub fn limit(&self) -> Result<i64, Problem> {
        match self.limit.unwrap_or(DEFAULT) {
            limit @ 1..=MOST => Ok(limit),
            _ => Err(Problem::invalid_field("limit", format!("must be between 1 and {MOST}"))),
        }
    }
}

impl<T> Page<T> {
    /// A list that fits on one page.
    pub fn whole(items: Vec<T>) -> Self {
        Self { items, next_cursor: None }
    }
}
