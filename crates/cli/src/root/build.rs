//! `isol root build`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use isol::{Ids, Problem};
use isol_root::keep::{Member, Recipe, Writable, build};
use isol_root::{Sysroot, find_program};
use serde_json::json;

use super::{absolute, problem, text, trace};
use crate::arguments::RootBuild;
use crate::output;

pub(super) const STEP: &str = "root-build";

pub(super) fn build(arguments: &RootBuild) -> Result<ExitCode, Problem> {
    let dir = absolute(&arguments.dir, STEP)?;
    let mut recipe = recipe(arguments)?;
    if arguments.trace {
        recipe.traced = trace::trace(&dir, &recipe, arguments)?;
    }
    let built = build::build(&dir, recipe).map_err(|error| problem(STEP, &error))?;
    if arguments.json {
        output::print_json(&json!({
            "root": text(&dir),
            "manifest": text(&built.manifest),
            "entries": built.entries,
            "bytes": built.bytes,
            "notes": built.notes,
        }))?;
    } else if arguments.verbose {
        built.notes.iter().for_each(|note| output::remark(format_args!("note: {note}")));
    }
    Ok(ExitCode::SUCCESS)
}

fn recipe(arguments: &RootBuild) -> Result<Recipe, Problem> {
    let host =
        Sysroot::open(Path::new("/")).map_err(|error| Problem::new(STEP, error.to_string(), ""))?;
    let program = |path: &PathBuf| {
        let found =
            find_program(path.as_os_str(), &host).map_err(|error| problem(STEP, &error.into()))?;
        absolute(&found, STEP)
    };
    let user = arguments.user.as_deref().map(member).transpose()?;
    let mut recipe = Recipe::default();
    recipe.programs = arguments.program.iter().map(program).collect::<Result<_, _>>()?;
    recipe.add = arguments.add.iter().map(|p| absolute(p, STEP)).collect::<Result<_, _>>()?;
    recipe.dev.clone_from(&arguments.dev);
    recipe.etc.clone_from(&arguments.etc);
    recipe.nss = arguments.nss;
    recipe.locale.clone_from(&arguments.locale);
    recipe.tmp = arguments.tmp;
    if let Some(user) = &user {
        let writable = |path: &PathBuf| {
            let is_place = path.is_absolute() && path.file_name().is_some();
            if !is_place || path.components().any(|part| part.as_os_str() == "..") {
                let what = format!("--writable {} is no path inside", path.display());
                return Err(Problem::new(STEP, what, "it has to begin with /, without .."));
            }
            let path = path.components().collect();
            Ok(Writable { path, uid: user.uid, gid: user.gid })
        };
        recipe.writable = arguments.writable.iter().map(writable).collect::<Result<_, _>>()?;
    }
    recipe.user = user;
    recipe.set_id = arguments.keep_set_id;
    recipe.capabilities = arguments.keep_capabilities;
    if recipe == Recipe::default() {
        let problem = Problem::new("usage", "nothing is named that the tree should hold", "");
        return Err(problem.help("isol root build DIR --program PROGRAM"));
    }
    Ok(recipe)
}

/// Looked up on the host, as `isol run` does.
pub(super) fn member(text: &str) -> Result<Member, Problem> {
    let (ids, name) = who(text)?;
    let name = name.unwrap_or_else(|| String::from("isol"));
    Ok(Member { name, uid: ids.uid.get(), gid: ids.gid.get() })
}

pub(super) fn who(text: &str) -> Result<(Ids, Option<String>), Problem> {
    let wrong = |error: isol::ProfileError| error.problem();
    let (user, group) = match text.split_once(':') {
        Some((user, group)) => (user, Some(group.parse().map_err(wrong)?)),
        None => (text, None),
    };
    isol::look_up(user.parse().map_err(wrong)?, group).map_err(|error| error.problem())
}
