//! Datasets from the outside: small files in, attributes and counts out.

#[cfg(test)]
mod agree;
#[cfg(test)]
mod bench;
#[cfg(test)]
mod classification;
#[cfg(test)]
mod law;
#[cfg(test)]
mod life;
#[cfg(test)]
mod sources;
#[cfg(test)]
mod synth;
