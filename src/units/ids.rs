//! Dense indices that stand for names while a run goes. They never leave a run: reports and files carry names.

use serde::{Deserialize, Serialize};

macro_rules! index {
    ($(#[$doc:meta])* $name:ident, $of:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub $of);
        impl $name {
            /// For indexing a `Vec`.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

index!(
    /// A component of the plan.
    ComponentIx, u32
);
index!(
    /// A link of the plan.
    LinkIx, u32
);
index!(
    /// A topic of some cluster of the plan.
    TopicIx, u32
);
index!(
    /// A consumer group of some cluster of the plan.
    GroupIx, u32
);
index!(
    /// An event type of the plan.
    EventTypeIx, u16
);
