//! A table as an Apache Parquet file, with the types of the codebook: for those who load millions of
//! rows. The same table gives the same bytes.
//!
//! Integers are 64-bit with sign, numbers doubles, words UTF-8 strings; every column may hold nulls,
//! which are the empty fields. Pages are compressed with Snappy.

use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};

use crate::report::finished::{FinishedColumn, FinishedTable, Values};

/// Rows of a group, which readers load as a whole: the usual size.
const GROUP: usize = 1 << 20;

/// The bytes of the file.
///
/// # Errors
/// When the format cannot hold the table, as with more than 2^31 rows in a page.
pub fn encode(table: &FinishedTable) -> Result<Vec<u8>, ParquetError> {
    encode_in_groups(table, GROUP)
}

fn encode_in_groups(table: &FinishedTable, group: usize) -> Result<Vec<u8>, ParquetError> {
    let fields = table.columns.iter().map(field).collect::<Result<Vec<_>, _>>()?;
    let schema = Type::group_type_builder(&table.name).with_fields(fields).build()?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(concat!("overcord ", env!("CARGO_PKG_VERSION")).to_owned())
        .build();
    let mut bytes = Vec::new();
    let mut file = SerializedFileWriter::new(&mut bytes, Arc::new(schema), Arc::new(properties))?;
    for start in (0..table.rows).step_by(group) {
        let rows = start..(start + group).min(table.rows);
        let mut group = file.next_row_group()?;
        for column in &table.columns {
            let mut writer = group.next_column()?.expect("a column for each field of the schema");
            write(&mut writer, &column.values, rows.clone())?;
            writer.close()?;
        }
        group.close()?;
    }
    file.close()?;
    Ok(bytes)
}

/// What a column is in the schema.
fn field(column: &FinishedColumn) -> Result<TypePtr, ParquetError> {
    let (physical, logical, converted) = match column.values {
        Values::Integer(_) => (Physical::INT64, None, ConvertedType::NONE),
        Values::Number(_) => (Physical::DOUBLE, None, ConvertedType::NONE),
        Values::Text(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String), ConvertedType::UTF8),
        Values::Truth(_) => (Physical::BOOLEAN, None, ConvertedType::NONE),
    };
    let builder = Type::primitive_type_builder(&column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .with_converted_type(converted);
    Ok(Arc::new(builder.build()?))
}

fn write(
    writer: &mut SerializedColumnWriter<'_>,
    values: &Values,
    rows: std::ops::Range<usize>,
) -> Result<(), ParquetError> {
    match values {
        Values::Integer(fields) => put::<Int64Type, _>(writer, &fields[rows], |value| *value),
        Values::Number(fields) => put::<DoubleType, _>(writer, &fields[rows], |value| *value),
        Values::Text(fields) => {
            let bytes = |text: &String| ByteArray::from(text.as_str());
            put::<ByteArrayType, _>(writer, &fields[rows], bytes)
        }
        Values::Truth(fields) => put::<BoolType, _>(writer, &fields[rows], |value| *value),
    }
}

/// Writes the values that are there, and for each row whether one is.
fn put<T: DataType, V>(
    writer: &mut SerializedColumnWriter<'_>,
    fields: &[Option<V>],
    value: impl Fn(&V) -> T::T,
) -> Result<(), ParquetError> {
    let values: Vec<T::T> = fields.iter().flatten().map(value).collect();
    let levels: Vec<i16> = fields.iter().map(|field| i16::from(field.is_some())).collect();
    writer.typed::<T>().write_batch(&values, Some(&levels), None).map(drop)
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader as _, SerializedFileReader};

    use super::*;
    use crate::report::finished::FinishedStudy;
    use crate::report::finished::tests::written;

    fn table() -> FinishedTable {
        let column = |name: &str, values| FinishedColumn { name: name.to_owned(), values };
        let words = [Some("a,\n\"b\""), None, Some("é")].map(|it| it.map(str::to_owned));
        FinishedTable {
            name: "things".into(),
            rows: 3,
            columns: vec![
                column("run", Values::Integer(vec![Some(0), Some(i64::MAX), None])),
                column("dns.ttl", Values::Text(words.to_vec())),
                column("delay_s", Values::Number(vec![None, Some(0.1), Some(-1e300)])),
                column("stale", Values::Truth(vec![Some(true), None, Some(false)])),
                column("nothing", Values::Number(vec![None; 3])),
            ],
        }
    }

    /// The rows as the reader of the format prints them, and how many groups there are.
    fn read(bytes: Vec<u8>) -> (Vec<String>, usize) {
        let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
        let groups = reader.num_row_groups();
        let rows = reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string());
        (rows.collect(), groups)
    }

    #[test]
    fn a_table_reads_back_with_types_and_nulls_whatever_its_groups() {
        let expected = [
            r#"{run: 0, dns.ttl: "a,\n"b"", delay_s: null, stale: true, nothing: null}"#,
            r#"{run: 9223372036854775807, dns.ttl: null, delay_s: 0.1, stale: null, nothing: null}"#,
            r#"{run: null, dns.ttl: "é", delay_s: -1E300, stale: false, nothing: null}"#,
        ];
        let expected = expected.map(|row| row.replace("\\n", "\n"));
        for (group, groups) in [(1, 3), (2, 2), (3, 1), (GROUP, 1)] {
            let (rows, got) = read(encode_in_groups(&table(), group).unwrap());
            assert_eq!(rows, expected, "groups of {group}");
            assert_eq!(got, groups);
        }
        let empty = FinishedTable { rows: 0, columns: Vec::new(), ..table() };
        assert_eq!(read(encode(&empty).unwrap()).0.len(), 0);
    }

    #[test]
    fn every_table_of_a_study_becomes_the_same_bytes_again() {
        let results = tempfile::tempdir().unwrap();
        let study = FinishedStudy::open(&written(results.path())).unwrap();
        for name in study.tables() {
            let table = study.table(name).unwrap();
            let bytes = encode(&table).unwrap();
            assert_eq!(bytes, encode(&study.table(name).unwrap()).unwrap(), "{name}");
            assert_eq!(read(bytes).0.len(), table.rows, "{name}");
        }
    }
}
