//! Names of things as small numbers. An index of one kind cannot be used where another is meant.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u16);

        impl $name {
            /// As an index into the arrays of a model.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl From<usize> for $name {
            /// # Panics
            /// Above 65,535: a reader of model files refuses that many before it gets here.
            fn from(index: usize) -> Self {
                $name(u16::try_from(index).expect("fewer than 65,536 of a kind"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

id!(
    /// A node (a host).
    NodeId
);
id!(
    /// A site: nodes of one site reach each other without a declared link.
    SiteId
);
id!(
    /// A link.
    LinkId
);
id!(
    /// A common cause.
    SharedId
);
id!(
    /// A group of nodes that runs one policy.
    GroupId
);
id!(
    /// A class of clients.
    ClientId
);
id!(
    /// A repair crew.
    CrewId
);
