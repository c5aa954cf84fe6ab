//! Boxes that are used again.

/// An empty box, kept for the next thing to be put into one. A clone has none.
#[derive(Debug)]
pub(super) struct Room<T>(Option<Box<T>>);

impl<T> Room<T> {
    pub(super) const fn new() -> Room<T> {
        Room(None)
    }

    /// Puts a value into the box that is there, or into a new one.
    pub(super) fn put(&mut self, value: T) -> Box<T> {
        match self.0.take() {
            Some(mut room) => {
                *room = value;
                room
            }
            None => Box::new(value),
        }
    }

    /// Keeps a box whose content is no longer needed.
    pub(super) fn keep(&mut self, room: Box<T>) {
        self.0 = Some(room);
    }
}

impl<T> Clone for Room<T> {
    fn clone(&self) -> Room<T> {
        Room(None)
    }
}
