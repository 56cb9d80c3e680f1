//! Plans: made from accepted services, shown, edited, approved by digest, turned into a run.
//!
//! Rule: what is approved is the stored bytes; what they were made from is compared again at the moment of approval.

pub mod approve;
pub mod compose;
pub mod edit;
pub mod gather;
pub mod view;

pub use approve::{Approved, Start, approve_infrastructure, approve_provisioning};
pub use compose::create;
pub use edit::{edit_provisioning, place};
pub use gather::refresh;
pub use view::{PlanView, get, get_provisioning, list, provisioning};
