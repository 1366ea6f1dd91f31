//! `completions` and `man`: made from the command line's own description.

use std::process::ExitCode;

use clap::CommandFactory as _;
use snowtoken::core::diagnosis::Code;

use crate::args::{Cli, CompletionsArgs, ManArgs};
use crate::report::Failure;
use crate::{files, output};

pub(crate) fn completions(args: &CompletionsArgs) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "snowtoken", &mut script);
    output::data(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn man(args: &ManArgs) -> Result<ExitCode, Failure> {
    let failed = |error: std::io::Error| {
        Failure::told(
            Code::OutputUnwritable,
            format!("the manual pages could not be written: {error}"),
        )
    };
    if let Some(folder) = &args.directory {
        files::make_folder(folder).map_err(failed)?;
        clap_mangen::generate_to(Cli::command(), folder).map_err(failed)?;
    } else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(failed)?;
        output::data(&String::from_utf8_lossy(&page))?;
    }
    Ok(ExitCode::SUCCESS)
}
