//! The authorities' certificates that the host trusts.

use std::path::PathBuf;

use isol_core::Problem;

/// Where the systems have them in one file.
const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
];

pub(super) fn read() -> Result<Vec<u8>, Problem> {
    let named = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let there = |path: &PathBuf| path.is_file();
    let path =
        named.or_else(|| BUNDLES.iter().map(PathBuf::from).find(there)).ok_or_else(|| {
            Problem::new(super::STEP, "there are no certificates", "the host has none in one file")
                .help("install them (ca-certificates), or name a file: SSL_CERT_FILE")
        })?;
    let cant = |error| Problem::io(super::STEP, format!("can't read {}", path.display()), &error);
    let bytes = std::fs::read(&path).map_err(cant)?;
    let begin = b"-----BEGIN ";
    if bytes.windows(begin.len()).any(|window| window == begin) {
        Ok(bytes)
    } else {
        Err(Problem::new(super::STEP, format!("{} is no PEM file", path.display()), ""))
    }
}
