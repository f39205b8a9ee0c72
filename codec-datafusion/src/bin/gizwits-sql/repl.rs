//! The interactive shell.

use std::path::PathBuf;

use etcetera::BaseStrategy as _;
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

use crate::Failure;
use crate::output::Output;
use crate::session::Session;

const HELP: &str = "\
A query ends with `;`. Ctrl-C cancels it.

  \\d          list tables
  \\d TABLE    list the columns of a table
  \\f          list the functions of this program
  \\h          show this help
  \\q          quit (or Ctrl-D)

Examples:
  SELECT * FROM gizwits_log('log.ndjson', 'ac.json') LIMIT 10;
  SELECT gizwits_decode('ac.json', '0401000010280000');
  CREATE VIEW log AS SELECT * FROM gizwits_log('logs/*.gz', 'ac.json');
  CREATE EXTERNAL TABLE raw STORED AS JSON LOCATION 'log.ndjson';";

const FUNCTIONS: &str = "\
gizwits_log('path, URL or glob', definition)          table: the decoded records of files
gizwits_decode(definition, payload)                   struct: all attributes of a payload
gizwits_decode(definition, payload, 'a', 'b')         struct: these attributes
gizwits_attr(definition, payload, 'a')                one attribute
gizwits_action(payload)                               control, read, reply, report or transparent
gizwits_error(definition, payload)                    struct: why a payload is rejected
gizwits_encode(definition, 'control', {a: 1})         hex: a message with these values
gizwits_fill(value, action) OVER (PARTITION BY did ORDER BY timestamp)
                                                      the last known value of a device
A definition is a path, a URL, JSON, or a name given with -d.";

/// Reads and runs queries until the user quits.
pub(crate) async fn run(session: &Session, output: &mut Output) -> Result<(), Failure> {
    let failed = |error: ReadlineError| Failure::Message(error.to_string());
    let mut editor = DefaultEditor::new().map_err(failed)?;
    let history = history();
    if let Some(history) = &history {
        // The first session has no history.
        let _ = editor.load_history(history);
    }
    println!("Queries end with `;`. \\h shows help, \\q quits.");
    let mut query = String::new();
    loop {
        let prompt = if query.is_empty() {
            "gizwits> "
        } else {
            "      -> "
        };
        match editor.readline(prompt) {
            Ok(line) => {
                if query.is_empty() && line.trim_start().starts_with('\\') {
                    let _ = editor.add_history_entry(&line);
                    if command(session, output, line.trim()).await {
                        break;
                    }
                    continue;
                }
                query += &line;
                query.push('\n');
                if line.trim_end().ends_with(';') {
                    let _ = editor.add_history_entry(query.trim());
                    execute(session, output, &query).await;
                    query.clear();
                } else if query.trim().is_empty() {
                    query.clear();
                }
            }
            Err(ReadlineError::Interrupted) => query.clear(),
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(failed(error)),
        }
    }
    if let Some(history) = &history {
        let saved = editor.save_history(history);
        if let Err(error) = saved {
            eprintln!("the history is not saved: {}: {error}", history.display());
        }
    }
    Ok(())
}

/// Runs a command that begins with `\`. Returns whether to quit.
async fn command(session: &Session, output: &mut Output, line: &str) -> bool {
    match line.split_once(char::is_whitespace).unwrap_or((line, "")) {
        ("\\q", _) => return true,
        ("\\h" | "\\?", _) => println!("{HELP}"),
        ("\\f", _) => println!("{FUNCTIONS}"),
        ("\\d", "") => {
            let tables = "SELECT table_name, table_type FROM information_schema.tables
                          WHERE table_schema <> 'information_schema' ORDER BY table_name";
            execute(session, output, tables).await;
        }
        ("\\d", table) => execute(session, output, &format!("DESCRIBE {table}")).await,
        (other, _) => println!("unknown command {other}: \\h shows help"),
    }
    false
}

async fn execute(session: &Session, output: &mut Output, query: &str) {
    let done = tokio::select! {
        done = session.run(query, output) => done,
        _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
    };
    match done {
        Ok(()) | Err(Failure::BrokenPipe) => {}
        Err(Failure::Interrupted) => eprintln!("cancelled"),
        Err(Failure::Message(message)) => eprintln!("error: {message}"),
    }
}

/// The file of the history, whose folder is created.
fn history() -> Option<PathBuf> {
    let folders = etcetera::choose_base_strategy().ok()?;
    let folder = folders.state_dir().unwrap_or_else(|| folders.data_dir());
    let folder = folder.join("gizwits");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("sql-history"))
}
