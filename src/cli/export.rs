//! `overcord export`: writes the tables of a finished study in another format.
//!
//! Parquet is a feature of the build, since its library is large.

use super::Console;
use super::arguments::ExportArguments;
use super::outcome::{Failure, Outcome};

/// Writes a Parquet file for each table. All tables are read before the first file is written.
#[cfg(feature = "parquet")]
pub fn export(arguments: &ExportArguments, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    use crate::experiment::store::write_whole;
    use crate::report::finished::FinishedStudy;
    use crate::report::parquet::encode;

    let study = FinishedStudy::open(&arguments.study)?;
    let folder = arguments.out.as_deref().unwrap_or(study.folder());
    let mut files = Vec::new();
    for name in study.tables() {
        let table = study.table(name)?;
        let bytes = encode(&table).map_err(|error| Failure::Parquet {
            table: name.to_owned(),
            error: error.to_string(),
        })?;
        files.push((folder.join(format!("{name}.parquet")), table.rows, bytes));
    }
    for (path, rows, bytes) in files {
        write_whole(&path, &bytes)?;
        let rows = count(rows, "row");
        writeln!(console.out, "wrote {}, {rows}", path.display()).map_err(Failure::Output)?;
    }
    Ok(Outcome::Done)
}

/// Says how to get a build that can.
#[cfg(not(feature = "parquet"))]
pub fn export(_: &ExportArguments, _: &mut Console<'_>) -> Result<Outcome, Failure> {
    Err(Failure::NoParquet)
}
