//! The project that the program opens when it is told none. It is built in, so that it is there wherever
//! the program stands.

use super::{Loaded, read};

const TEXT: &str = include_str!("../../projects/order-flow.ron");

/// Schemas of the starter by their path in it.
const SCHEMAS: &[(&str, &str)] = &[
    ("schemas/order-placed.avsc", include_str!("../../projects/schemas/order-placed.avsc")),
    ("schemas/order-amended.avsc", include_str!("../../projects/schemas/order-amended.avsc")),
    ("schemas/order-cancelled.avsc", include_str!("../../projects/schemas/order-cancelled.avsc")),
    ("schemas/order-returned.avsc", include_str!("../../projects/schemas/order-returned.avsc")),
    ("schemas/address-changed.json", include_str!("../../projects/schemas/address-changed.json")),
    ("schemas/payment-authorised.avsc", include_str!("../../projects/schemas/payment-authorised.avsc")),
    ("schemas/payment-captured.avsc", include_str!("../../projects/schemas/payment-captured.avsc")),
    ("schemas/payment-failed.avsc", include_str!("../../projects/schemas/payment-failed.avsc")),
    ("schemas/refund-requested.avsc", include_str!("../../projects/schemas/refund-requested.avsc")),
    ("schemas/gift-card-redeemed.json", include_str!("../../projects/schemas/gift-card-redeemed.json")),
];

/// The starter, with its schemas. It has no path: saving it asks where to.
#[must_use]
pub fn starter() -> Loaded {
    let mut loaded = read(TEXT);
    for source in loaded.project.schemas.values_mut() {
        if let Some((_, text)) = SCHEMAS.iter().find(|(path, _)| source.path.as_deref() == Some(path)) {
            source.text = (*text).into();
        }
    }
    loaded
}
