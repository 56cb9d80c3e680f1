//! Reads that are the same inside and outside a change: stamped once for [`TeamStore`](crate::TeamStore) and once for
//! [`TeamTx`](crate::TeamTx).
//!
//! Rule: only reads; `$this.q(…)` binds the team as `$1` in both.

/// Stamps async readers into both handles.
macro_rules! on_both {
    ($($(#[$meta:meta])* async fn $name:ident($this:ident $(, $arg:ident: $type:ty)*) -> $result:ty $body:block)*) => {
        impl crate::TeamStore {
            $($(#[$meta])* pub async fn $name(&self $(, $arg: $type)*) -> $result {
                let $this = self;
                $body
            })*
        }
        impl crate::TeamTx {
            $($(#[$meta])* pub async fn $name(&mut self $(, $arg: $type)*) -> $result {
                let $this = self;
                $body
            })*
        }
    };
}
pub(crate) use on_both;
