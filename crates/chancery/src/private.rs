//! Files about people, which nobody but their owner may read.

use std::fs::File;
use std::io::{Result, Write as _};
use std::path::Path;

/// Writes a file that only its owner may read, also where one with other permissions was.
pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<()> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    #[cfg(unix)]
    if file.metadata()?.is_file() {
        use std::os::unix::fs::PermissionsExt as _;
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    }
    file.write_all(content.as_ref())
}
