//! The command `overcord`.

use std::process::ExitCode;

fn main() -> ExitCode {
    overcord::cli::main()
}
