//! Texts that go into an experiment, kept in full for the manifest.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::input::{Files, Source};
use crate::record::Input;

/// Passes texts through and keeps a copy of each.
pub struct Recording {
    inner: Arc<dyn Files>,
    read: Arc<Mutex<BTreeMap<String, String>>>,
}

/// What was read so far.
#[derive(Clone, Default)]
pub struct Texts(Arc<Mutex<BTreeMap<String, String>>>);

impl Texts {
    /// Files that note here what is read of them.
    #[expect(clippy::arc_with_non_send_sync, reason = "the reader of files takes them in an `Arc`")]
    pub fn through(&self, inner: Arc<dyn Files>) -> Arc<dyn Files> {
        Arc::new(Recording { inner, read: Arc::clone(&self.0) })
    }

    /// The texts by name, without folders.
    pub fn inputs(&self) -> Vec<Input> {
        let read = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        read.iter().map(|(name, text)| input("data", name, text)).collect()
    }
}

impl Files for Recording {
    fn text(&self, path: &str) -> Result<Arc<Source>, String> {
        let source = self.inner.text(path)?;
        let mut read = self.read.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        read.insert(path.to_owned(), source.text.clone());
        Ok(source)
    }
}

/// One input; `name` loses its folders, since where a file lies does not belong in a result.
pub fn input(role: &str, name: &str, text: &str) -> Input {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    Input { role: role.to_owned(), name: name.to_owned(), text: text.to_owned() }
}
