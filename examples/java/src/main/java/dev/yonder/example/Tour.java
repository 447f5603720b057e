package dev.yonder.example;

import com.google.protobuf.ByteString;
import dev.yonder.workspace.v1.*;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.zip.CRC32;

/** A tour of the contract on grpc-java and its generated stubs alone. */
public final class Tour {
  private static final URI HOST =
      URI.create(Optional.ofNullable(System.getenv("YONDER_HOST")).orElse("http://127.0.0.1:8000"));
  private static final String PREPARE =
      """
      git init -q . && echo 1 > changed.txt && echo 1 > gone.txt && git add . &&
      git -c user.name=T -c user.email=t@localhost commit -q -m first &&
      echo 2 > changed.txt && rm gone.txt && echo 1 > 'a new één.txt'""";

  /** A connection of its own. */
  private static ManagedChannel connect() {
    Metadata key = new Metadata();
    String value = "Bearer " + Optional.ofNullable(System.getenv("YONDER_API_KEY")).orElse("");
    key.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), value);
    NettyChannelBuilder channel = NettyChannelBuilder.forAddress(HOST.getHost(), HOST.getPort());
    if (!"https".equals(HOST.getScheme())) channel.usePlaintext();
    return channel.intercept(MetadataUtils.newAttachHeadersInterceptor(key)).build();
  }

  private final ManagedChannel channel = connect();
  private final ExecServiceGrpc.ExecServiceBlockingStub commands = ExecServiceGrpc.newBlockingStub(channel);
  private final FileServiceGrpc.FileServiceBlockingStub files = FileServiceGrpc.newBlockingStub(channel);
  private final String directory = "tour-" + UUID.randomUUID();

  public static void main(String[] arguments) throws Exception {
    if (arguments.length == 2 && arguments[0].equals("vectors")) {
      Vectors.check(Path.of(arguments[1]));
      return;
    }
    // Names are UTF-8 whatever the machine's own encoding is.
    System.setOut(new java.io.PrintStream(System.out, true, StandardCharsets.UTF_8));
    Tour tour = new Tour();
    Path local = Files.createTempDirectory("yonder-tour-");
    try {
      tour.talk();
      tour.cutAndGoOn();
      tour.upAndDown(local);
      tour.whatGitSays();
      tour.files.remove(RemoveRequest.newBuilder().setPath(tour.directory).setRecursive(true).build());
    } finally {
      for (String name : new String[] {"source", "copy", ""}) Files.deleteIfExists(local.resolve(name));
      tour.channel.shutdownNow();
    }
  }

  private void talk() {
    System.out.println("1. What a command prints is seen as it is printed, so that it can be answered.");
    String execId = UUID.randomUUID().toString();
    ExecRequest request =
        ExecRequest.newBuilder()
            .setExecId(execId)
            .setCommand("echo \"What is your name?\"; read name; echo \"Hello, $name.\"; exit 3")
            .setStdin(ExecStdin.getDefaultInstance())
            .build();
    boolean answered = false;
    // A stream that ends without `ended` is a broken one: next() throws.
    for (Iterator<ExecResponse> stream = commands.exec(request); ; ) {
      ExecEvent event = stream.next().getEvent();
      if (event.hasOutput()) {
        show(event.getOutput().getData());
        if (!answered) {
          ByteString answer = ByteString.copyFromUtf8("Yonder\n");
          commands.writeStdin(
              WriteStdinRequest.newBuilder().setExecId(execId).setData(answer).setEof(true).build());
        }
        answered = true;
      } else if (event.hasEnded()) {
        System.out.println("exit code " + event.getEnded().getExitCode());
        return;
      }
    }
  }

  private void cutAndGoOn() throws Exception {
    System.out.println("2. A connection is cut in the midst of the output, and another one goes on.");
    MessageDigest expected = MessageDigest.getInstance("SHA-256");
    for (int line = 1; line <= 200_000; line++) expected.update((line + "\n").getBytes(StandardCharsets.UTF_8));

    String execId = UUID.randomUUID().toString();
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    long cursor = 0;
    ManagedChannel first = connect();
    Iterator<ExecResponse> stream =
        ExecServiceGrpc.newBlockingStub(first)
            .exec(ExecRequest.newBuilder().setExecId(execId).setCommand("seq 1 200000").build());
    while (cursor < 300_000) {
      ByteString data = stream.next().getEvent().getOutput().getData();
      digest.update(data.asReadOnlyByteBuffer());
      cursor += data.size();
    }
    first.shutdownNow();

    ManagedChannel second = connect();
    Iterator<AttachResponse> rest =
        ExecServiceGrpc.newBlockingStub(second)
            .attach(AttachRequest.newBuilder().setExecId(execId).setCursor(cursor).build());
    for (ExecEvent event = rest.next().getEvent(); !event.hasEnded(); event = rest.next().getEvent()) {
      if (!event.hasOutput()) continue;
      if (event.getOutput().getCursor() != cursor) throw new IllegalStateException("a gap at " + cursor);
      digest.update(event.getOutput().getData().asReadOnlyByteBuffer());
      cursor += event.getOutput().getData().size();
    }
    second.shutdownNow();
    if (!Arrays.equals(digest.digest(), expected.digest()))
      throw new IllegalStateException(cursor + " bytes, and not those that were printed");
    System.out.println(cursor + " bytes, none lost");
  }

  private void upAndDown(Path local) throws Exception {
    System.out.println("3. A file goes up and comes down.");
    Path source = local.resolve("source");
    Path copy = local.resolve("copy");
    Files.writeString(source, "All work and no play makes a dull file. ".repeat(75_000));
    ByteString sha256 = digestOf(source);
    String path = directory + "/file";

    CompletableFuture<UploadResponse> reply = new CompletableFuture<>();
    StreamObserver<UploadRequest> upload =
        FileServiceGrpc.newStub(channel)
            .upload(
                new StreamObserver<>() {
                  @Override
                  public void onNext(UploadResponse answer) {
                    reply.complete(answer);
                  }

                  @Override
                  public void onError(Throwable error) {
                    reply.completeExceptionally(error);
                  }

                  @Override
                  public void onCompleted() {}
                });
    UploadHeader header =
        UploadHeader.newBuilder()
            .setPath(path)
            .setSizeBytes(Files.size(source))
            .setCreateParents(true)
            .setSha256(true)
            .build();
    upload.onNext(UploadRequest.newBuilder().setHeader(header).build());
    CRC32 whole = new CRC32();
    long offset = 0;
    try (InputStream input = Files.newInputStream(source)) {
      for (byte[] data = input.readNBytes(1 << 18); data.length > 0; data = input.readNBytes(1 << 18)) {
        CRC32 crc = new CRC32();
        crc.update(data);
        whole.update(data);
        FileChunk chunk =
            FileChunk.newBuilder()
                .setOffset(offset)
                .setData(ByteString.copyFrom(data))
                .setCrc32((int) crc.getValue())
                .build();
        upload.onNext(UploadRequest.newBuilder().setChunk(chunk).build());
        offset += data.length;
      }
    }
    UploadFinish finish = UploadFinish.newBuilder().setCrc32((int) whole.getValue()).setSha256(sha256).build();
    upload.onNext(UploadRequest.newBuilder().setFinish(finish).build());
    upload.onCompleted();
    FileUpload done = reply.get().getUpload();
    System.out.println(
        "uploaded " + done.getCommittedBytes() + " bytes, " + verdict(done.getSha256().equals(sha256)));

    try (OutputStream target = Files.newOutputStream(copy)) {
      Iterator<DownloadResponse> parts =
          files.download(DownloadRequest.newBuilder().setPath(path).setSha256(true).build());
      for (DownloadResponse part = parts.next(); ; part = parts.next()) {
        if (part.hasChunk()) {
          CRC32 crc = new CRC32();
          crc.update(part.getChunk().getData().asReadOnlyByteBuffer());
          if ((int) crc.getValue() != part.getChunk().getCrc32()) throw new IOException("a chunk is corrupt");
          part.getChunk().getData().writeTo(target);
        } else if (part.hasFinished()) {
          boolean same = part.getFinished().getSha256().equals(sha256) && digestOf(copy).equals(sha256);
          System.out.println("downloaded " + part.getFinished().getSizeBytes() + " bytes, " + verdict(same));
          return;
        }
      }
    }
  }

  private void whatGitSays() {
    System.out.println("4. What git says.");
    String path = directory + "/repository";
    files.makeDirectory(MakeDirectoryRequest.newBuilder().setPath(path).setParents(true).build());
    Iterator<ExecResponse> stream =
        commands.exec(ExecRequest.newBuilder().setCommand(PREPARE).setWorkingDirectory(path).build());
    ExecEvent event = stream.next().getEvent();
    for (; !event.hasEnded(); event = stream.next().getEvent()) show(event.getOutput().getData());
    int exitCode = event.getEnded().getExitCode();
    if (exitCode != 0) throw new IllegalStateException("git ended with exit code " + exitCode);
    ListChangesResponse list =
        GitServiceGrpc.newBlockingStub(channel).listChanges(ListChangesRequest.newBuilder().setPath(path).build());
    for (GitChange change : list.getChangesList()) {
      System.out.println(change.getStatus().name().replace("GIT_CHANGE_STATUS_", "") + " " + change.getPath());
    }
  }

  private static void show(ByteString data) {
    System.out.writeBytes(data.toByteArray());
    System.out.flush();
  }

  private static ByteString digestOf(Path path) throws Exception {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    try (InputStream input = Files.newInputStream(path)) {
      for (byte[] data = input.readNBytes(1 << 16); data.length > 0; data = input.readNBytes(1 << 16)) {
        digest.update(data);
      }
    }
    return ByteString.copyFrom(digest.digest());
  }

  private static String verdict(boolean same) {
    if (!same) throw new IllegalStateException("the digest differs");
    return "digest checked";
  }
}
