//! Numbered places that are used again, so that a timer's token can name what it is for.

/// Held items by place.
#[derive(Clone, Debug)]
pub(super) struct Slab<T> {
    held: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Slab<T> {
    pub fn new() -> Self {
        Self { held: Vec::new(), free: Vec::new() }
    }

    /// The item's place until it is taken.
    pub fn put(&mut self, item: T) -> u64 {
        if let Some(index) = self.free.pop() {
            self.held[index] = Some(item);
            return index as u64;
        }
        self.held.push(Some(item));
        self.held.len() as u64 - 1
    }

    pub fn get(&self, place: u64) -> Option<&T> {
        self.held.get(place as usize)?.as_ref()
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.held.iter().flatten()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.held.iter_mut().flatten()
    }

    pub fn get_mut(&mut self, place: u64) -> Option<&mut T> {
        self.held.get_mut(place as usize)?.as_mut()
    }

    pub fn take(&mut self, place: u64) -> Option<T> {
        let item = self.held.get_mut(place as usize)?.take()?;
        self.free.push(place as usize);
        Some(item)
    }
}
