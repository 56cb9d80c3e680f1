//! What happened in a story, all in all.

/// Declares the counts once: their sum, and whether everything happened.
macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        #[derive(Debug, Default, Clone)]
        pub(crate) struct Told {
            $($(#[$doc])* pub(crate) $name: u64,)*
            pub(crate) seconds: u64,
        }

        impl Told {
            pub(crate) fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)*
                self.seconds += other.seconds;
            }

            /// Whether everything that can go wrong did.
            pub(crate) fn is_eventful(&self) -> bool {
                [$(self.$name),*].into_iter().all(|count| count > 10)
            }
        }
    };
}

counts! {
    steps,
    cuts,
    /// Frames that came twice, from another connection, or in another order.
    repeated,
    late,
    overtaken,
    /// Frames of an epoch that is over, and those that the executor refused for it.
    made_up,
    refused,
    deaths,
    power_cuts,
    host_deaths,
    unknown,
    jumps,
    partitions,
    /// What persons did.
    pauses,
    stops,
    retries,
    /// Steps that printed the secret, and frames in which it was looked for.
    secrets,
    frames,
    /// Questions that were answered while output waited for a slow line.
    answered,
}
