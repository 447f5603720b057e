//! A tour of the contract on tonic and its generated stubs alone.
//! `cargo run` takes it; `cargo run -- vectors FILE` checks the test vectors.
mod vectors;

/// The stubs that build.rs makes.
pub mod wire {
    tonic::include_proto!("yonder.workspace.v1");
}

use sha2::{Digest, Sha256};
use std::{env, error::Error, fs, io::Read, io::Write, path::Path, process::ExitCode};
use tonic::{
    Request, Streaming,
    metadata::{Ascii, MetadataValue},
    service::interceptor::InterceptedService,
    transport::{Channel, Endpoint},
};
use wire::{
    exec_event::Event, exec_service_client::ExecServiceClient, file_service_client::FileServiceClient,
    git_service_client::GitServiceClient, *,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const PREPARE: &str = "git init -q . && echo 1 > changed.txt && echo 1 > gone.txt && git add . &&
    git -c user.name=T -c user.email=t@localhost commit -q -m first &&
    echo 2 > changed.txt && rm gone.txt && echo 1 > 'a new één.txt'";

/// Sends the key with every call.
#[derive(Clone)]
struct Key(MetadataValue<Ascii>);

impl tonic::service::Interceptor for Key {
    fn call(&mut self, mut request: Request<()>) -> std::result::Result<Request<()>, tonic::Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

type Connection = InterceptedService<Channel, Key>;

/// A connection of its own.
async fn connect() -> Result<Connection> {
    let host = env::var("YONDER_HOST").unwrap_or_else(|_| "http://127.0.0.1:8000".into());
    let key = format!("Bearer {}", env::var("YONDER_API_KEY").unwrap_or_default()).parse()?;
    let channel = Endpoint::from_shared(host)?.connect().await?;
    Ok(InterceptedService::new(channel, Key(key)))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => tour().await,
        ["vectors", file] => vectors::check(Path::new(file)),
        _ => Err("there is the tour, without arguments, and `vectors FILE`".into()),
    };
    let Err(error) = done else { return ExitCode::SUCCESS };
    eprint!("{error}");
    // "transport error" alone says nothing: what it comes from does.
    let mut source = error.source();
    while let Some(cause) = source {
        eprint!(": {cause}");
        source = cause.source();
    }
    eprintln!();
    ExitCode::FAILURE
}

async fn tour() -> Result<()> {
    let connection = connect().await?;
    let directory = format!("tour-{}", unique());
    let local = env::temp_dir().join(&directory);
    fs::create_dir(&local)?;
    let taken = take(&connection, &directory, &local).await;
    fs::remove_dir_all(&local)?;
    taken
}

async fn take(connection: &Connection, directory: &str, local: &Path) -> Result<()> {
    let mut commands = ExecServiceClient::new(connection.clone());
    let mut files = FileServiceClient::new(connection.clone());
    talk(&mut commands).await?;
    cut_and_go_on().await?;
    up_and_down(&mut files, directory, local).await?;
    what_git_says(&mut commands, &mut files, &mut GitServiceClient::new(connection.clone()), directory).await?;
    files.remove(RemoveRequest { path: directory.into(), recursive: true, ..Default::default() }).await?;
    Ok(())
}

/// The next thing that happened. A stream that ends without `ended`, where nobody asks any more, is a broken one.
async fn next(stream: &mut Streaming<ExecResponse>) -> Result<Event> {
    let reply = stream.message().await?.ok_or("the stream broke")?;
    Ok(reply.event.and_then(|event| event.event).unwrap_or(Event::Heartbeat(ExecHeartbeat::default())))
}

async fn talk(commands: &mut ExecServiceClient<Connection>) -> Result<()> {
    println!("1. What a command prints is seen as it is printed, so that it can be answered.");
    let exec_id = unique();
    let command = r#"echo "What is your name?"; read name; echo "Hello, $name."; exit 3"#;
    let request = ExecRequest {
        exec_id: exec_id.clone(),
        program: Some(exec_request::Program::Command(command.into())),
        stdin: Some(ExecStdin::default()),
        ..Default::default()
    };
    let mut stream = commands.exec(request).await?.into_inner();
    let mut answered = false;
    loop {
        match next(&mut stream).await? {
            Event::Output(output) => {
                std::io::stdout().write_all(&output.data)?;
                if !answered {
                    let (exec_id, data) = (exec_id.clone(), b"Yonder\n".to_vec());
                    commands.write_stdin(WriteStdinRequest { exec_id, data, eof: true, ..Default::default() }).await?;
                }
                answered = true;
            }
            Event::Ended(ended) => {
                println!("exit code {}", ended.exit_code());
                return Ok(());
            }
            _ => {}
        }
    }
}

async fn cut_and_go_on() -> Result<()> {
    println!("2. A connection is cut in the midst of the output, and another one goes on.");
    let mut expected = Sha256::new();
    for line in 1..=200_000 {
        expected.update(format!("{line}\n"));
    }

    let exec_id = unique();
    let mut digest = Sha256::new();
    let mut cursor = 0;
    {
        // The connection closes when the last that holds it goes.
        let mut first = ExecServiceClient::new(connect().await?);
        let program = Some(exec_request::Program::Command("seq 1 200000".into()));
        let request = ExecRequest { exec_id: exec_id.clone(), program, ..Default::default() };
        let mut stream = first.exec(request).await?.into_inner();
        while cursor < 300_000 {
            if let Event::Output(output) = next(&mut stream).await? {
                digest.update(&output.data);
                cursor += output.data.len() as i64;
            }
        }
    }

    let mut second = ExecServiceClient::new(connect().await?);
    let start = Some(attach_request::Start::Cursor(cursor));
    let mut rest = second.attach(AttachRequest { exec_id, start, ..Default::default() }).await?.into_inner();
    loop {
        let reply = rest.message().await?.ok_or("the stream broke")?;
        match reply.event.and_then(|event| event.event) {
            Some(Event::Output(output)) => {
                assert_eq!(output.cursor, cursor, "a gap");
                digest.update(&output.data);
                cursor += output.data.len() as i64;
            }
            Some(Event::Ended(_)) => break,
            _ => {}
        }
    }
    if digest.finalize() != expected.finalize() {
        return Err(format!("{cursor} bytes, and not those that were printed").into());
    }
    println!("{cursor} bytes, none lost");
    Ok(())
}

async fn up_and_down(files: &mut FileServiceClient<Connection>, directory: &str, local: &Path) -> Result<()> {
    println!("3. A file goes up and comes down.");
    let (source, copy) = (local.join("source"), local.join("copy"));
    fs::write(&source, "All work and no play makes a dull file. ".repeat(75_000))?;
    let sha256 = digest_of(&source)?;
    let path = format!("{directory}/file");

    let header = UploadHeader {
        path: path.clone(),
        size_bytes: Some(3_000_000),
        create_parents: true,
        sha256: true,
        ..Default::default()
    };
    let finish = sha256.clone();
    let mut file = fs::File::open(&source)?;
    let (mut offset, mut whole, mut ended) = (0, crc32fast::Hasher::new(), false);
    let chunks = std::iter::from_fn(move || {
        let mut data = Vec::with_capacity(256 * 1024);
        Read::by_ref(&mut file).take(256 * 1024).read_to_end(&mut data).expect("the file can be read");
        if data.is_empty() {
            let crc32 = Some(whole.clone().finalize());
            let finish = UploadFinish { crc32, sha256: finish.clone() };
            return (!std::mem::replace(&mut ended, true)).then_some(upload_request::Part::Finish(finish));
        }
        whole.update(&data);
        let chunk = FileChunk { offset, crc32: Some(crc32fast::hash(&data)), data };
        offset += chunk.data.len() as i64;
        Some(upload_request::Part::Chunk(chunk))
    });
    let parts = std::iter::once(upload_request::Part::Header(header)).chain(chunks);
    let requests = tokio_stream::iter(parts.map(|part| UploadRequest { part: Some(part) }));
    let upload = files.upload(requests).await?.into_inner().upload.ok_or("no upload in the answer")?;
    println!("uploaded {} bytes, {}", upload.committed_bytes, verdict(upload.sha256 == sha256)?);

    let mut target = fs::File::create(&copy)?;
    let request = DownloadRequest { path, sha256: true, ..Default::default() };
    let mut stream = files.download(request).await?.into_inner();
    while let Some(reply) = stream.message().await? {
        match reply.part {
            Some(download_response::Part::Chunk(chunk)) => {
                assert_eq!(Some(crc32fast::hash(&chunk.data)), chunk.crc32, "a chunk is corrupt");
                target.write_all(&chunk.data)?;
            }
            Some(download_response::Part::Finished(finished)) => {
                let same = finished.sha256 == sha256 && digest_of(&copy)? == sha256;
                println!("downloaded {} bytes, {}", finished.size_bytes, verdict(same)?);
            }
            _ => {}
        }
    }
    Ok(())
}

async fn what_git_says(
    commands: &mut ExecServiceClient<Connection>,
    files: &mut FileServiceClient<Connection>,
    git: &mut GitServiceClient<Connection>,
    directory: &str,
) -> Result<()> {
    println!("4. What git says.");
    let path = format!("{directory}/repository");
    files.make_directory(MakeDirectoryRequest { path: path.clone(), parents: true, ..Default::default() }).await?;
    let request = ExecRequest {
        program: Some(exec_request::Program::Command(PREPARE.into())),
        working_directory: path.clone(),
        ..Default::default()
    };
    let mut stream = commands.exec(request).await?.into_inner();
    loop {
        match next(&mut stream).await? {
            Event::Output(output) => std::io::stdout().write_all(&output.data)?,
            Event::Ended(ended) if ended.exit_code() == 0 => break,
            Event::Ended(ended) => return Err(format!("git ended with exit code {}", ended.exit_code()).into()),
            _ => {}
        }
    }
    let list = git.list_changes(ListChangesRequest { path, ..Default::default() }).await?.into_inner();
    for change in list.changes {
        println!("{} {}", change.status().as_str_name().trim_start_matches("GIT_CHANGE_STATUS_"), change.path);
    }
    Ok(())
}

fn digest_of(path: &Path) -> Result<Vec<u8>> {
    let mut digest = Sha256::new();
    let mut file = fs::File::open(path)?;
    let mut piece = [0; 64 * 1024];
    loop {
        let length = file.read(&mut piece)?;
        if length == 0 {
            return Ok(digest.finalize().to_vec());
        }
        digest.update(&piece[..length]);
    }
}

fn verdict(same: bool) -> Result<&'static str> {
    if same { Ok("digest checked") } else { Err("the digest differs".into()) }
}

/// An id that nobody else has; a program of yours takes a UUID.
fn unique() -> String {
    use std::hash::{BuildHasher, RandomState};
    format!("{:016x}{:016x}", RandomState::new().hash_one(0), RandomState::new().hash_one(1))
}
