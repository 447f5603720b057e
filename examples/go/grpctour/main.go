// A tour of the contract on grpc-go and its generated stubs alone.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	pb "github.com/yonder-dev/yonder/examples/go/gen/yonder/workspace/v1"
)

const prepare = `git init -q . && echo 1 > changed.txt && echo 1 > gone.txt && git add . &&
	git -c user.name=T -c user.email=t@localhost commit -q -m first &&
	echo 2 > changed.txt && rm gone.txt && echo 1 > 'a new één.txt'`

// local is a directory of this machine, for what goes up and comes down.
var local string

func main() {
	key := os.Getenv("YONDER_API_KEY")
	ctx := metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+key)
	connection := connect()
	defer connection.Close()
	var err error
	local, err = os.MkdirTemp("", "yonder-tour-")
	check(err)
	defer os.RemoveAll(local)
	directory := "tour-" + uuid.NewString()

	files := pb.NewFileServiceClient(connection)
	commands := pb.NewExecServiceClient(connection)
	talk(ctx, commands)
	cutAndGoOn(ctx)
	upAndDown(ctx, files, directory, local)
	whatGitSays(ctx, commands, files, pb.NewGitServiceClient(connection), directory)
	_, err = files.Remove(ctx, &pb.RemoveRequest{Path: directory, Recursive: true})
	check(err)
}

// connect makes a connection of its own.
func connect() *grpc.ClientConn {
	host := os.Getenv("YONDER_HOST")
	if host == "" {
		host = "http://127.0.0.1:8000"
	}
	address, err := url.Parse(host)
	check(err)
	security := insecure.NewCredentials()
	if address.Scheme == "https" {
		security = credentials.NewTLS(nil)
	}
	connection, err := grpc.NewClient(address.Host, grpc.WithTransportCredentials(security))
	check(err)
	return connection
}

func talk(ctx context.Context, commands pb.ExecServiceClient) {
	fmt.Println("1. What a command prints is seen as it is printed, so that it can be answered.")
	id := uuid.NewString()
	stream, err := commands.Exec(ctx, &pb.ExecRequest{
		ExecId:  id,
		Program: &pb.ExecRequest_Command{Command: `echo "What is your name?"; read name; echo "Hello, $name."; exit 3`},
		Stdin:   &pb.ExecStdin{},
	})
	check(err)
	answered := false
	for {
		// A stream that ends without `ended` is a broken one: then this is io.EOF.
		reply, err := stream.Recv()
		check(err)
		switch event := reply.GetEvent().GetEvent().(type) {
		case *pb.ExecEvent_Output:
			os.Stdout.Write(event.Output.Data)
			if !answered {
				_, err := commands.WriteStdin(ctx, &pb.WriteStdinRequest{ExecId: id, Data: []byte("Yonder\n"), Eof: true})
				check(err)
			}
			answered = true
		case *pb.ExecEvent_Ended:
			fmt.Println("exit code", event.Ended.GetExitCode())
			return
		}
	}
}

func cutAndGoOn(ctx context.Context) {
	fmt.Println("2. A connection is cut in the midst of the output, and another one goes on.")
	expected := sha256.New()
	for line := 1; line <= 200_000; line++ {
		fmt.Fprintln(expected, line)
	}

	id := uuid.NewString()
	digest := sha256.New()
	var cursor int64
	first := connect()
	stream, err := pb.NewExecServiceClient(first).Exec(ctx, &pb.ExecRequest{
		ExecId:  id,
		Program: &pb.ExecRequest_Command{Command: "seq 1 200000"},
	})
	check(err)
	for cursor < 300_000 {
		reply, err := stream.Recv()
		check(err)
		data := reply.GetEvent().GetOutput().GetData()
		digest.Write(data)
		cursor += int64(len(data))
	}
	first.Close()

	second := connect()
	defer second.Close()
	rest, err := pb.NewExecServiceClient(second).Attach(ctx, &pb.AttachRequest{
		ExecId: id,
		Start:  &pb.AttachRequest_Cursor{Cursor: cursor},
	})
	check(err)
	for {
		reply, err := rest.Recv()
		check(err)
		if reply.GetEvent().GetEnded() != nil {
			break
		}
		if output := reply.GetEvent().GetOutput(); output != nil {
			if output.Cursor != cursor {
				fail(fmt.Sprintf("a gap at %d", cursor))
			}
			digest.Write(output.Data)
			cursor += int64(len(output.Data))
		}
	}
	if string(digest.Sum(nil)) != string(expected.Sum(nil)) {
		fail(fmt.Sprintf("%d bytes, and not those that were printed", cursor))
	}
	fmt.Printf("%d bytes, none lost\n", cursor)
}

func upAndDown(ctx context.Context, files pb.FileServiceClient, directory, local string) {
	fmt.Println("3. A file goes up and comes down.")
	source, target := filepath.Join(local, "source"), filepath.Join(local, "target")
	check(os.WriteFile(source, []byte(strings.Repeat("All work and no play makes a dull file. ", 75_000)), 0o600))
	sum := digestOf(source)
	path := directory + "/file"

	upload, err := files.Upload(ctx)
	check(err)
	size := int64(3_000_000)
	header := &pb.UploadHeader{Path: path, SizeBytes: &size, CreateParents: true, Sha256: true}
	check(upload.Send(&pb.UploadRequest{Part: &pb.UploadRequest_Header{Header: header}}))
	file, err := os.Open(source)
	check(err)
	defer file.Close()
	var offset int64
	var whole uint32
	for {
		data := make([]byte, 256*1024)
		length, err := io.ReadFull(file, data)
		if err == io.EOF {
			break
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			check(err)
		}
		data = data[:length]
		crc := crc32.ChecksumIEEE(data)
		chunk := &pb.FileChunk{Offset: offset, Data: data, Crc32: &crc}
		check(upload.Send(&pb.UploadRequest{Part: &pb.UploadRequest_Chunk{Chunk: chunk}}))
		offset += int64(length)
		whole = crc32.Update(whole, crc32.IEEETable, data)
	}
	finish := &pb.UploadFinish{Crc32: &whole, Sha256: []byte(sum)}
	check(upload.Send(&pb.UploadRequest{Part: &pb.UploadRequest_Finish{Finish: finish}}))
	done, err := upload.CloseAndRecv()
	check(err)
	fmt.Printf("uploaded %d bytes, %s\n", done.Upload.CommittedBytes, verdict(string(done.Upload.Sha256) == sum))

	copied, err := os.Create(target)
	check(err)
	defer copied.Close()
	download, err := files.Download(ctx, &pb.DownloadRequest{Path: path, Sha256: true})
	check(err)
	for {
		reply, err := download.Recv()
		check(err)
		switch part := reply.Part.(type) {
		case *pb.DownloadResponse_Chunk:
			if crc32.ChecksumIEEE(part.Chunk.Data) != part.Chunk.GetCrc32() {
				fail("a chunk is corrupt")
			}
			_, err := copied.WriteAt(part.Chunk.Data, part.Chunk.Offset)
			check(err)
		case *pb.DownloadResponse_Finished:
			same := string(part.Finished.Sha256) == sum && digestOf(target) == sum
			fmt.Printf("downloaded %d bytes, %s\n", part.Finished.SizeBytes, verdict(same))
			return
		}
	}
}

func digestOf(path string) string {
	file, err := os.Open(path)
	check(err)
	defer file.Close()
	digest := sha256.New()
	_, err = io.Copy(digest, file)
	check(err)
	return string(digest.Sum(nil))
}

func verdict(same bool) string {
	if !same {
		fail("the digest differs")
	}
	return "digest checked"
}

func whatGitSays(
	ctx context.Context,
	commands pb.ExecServiceClient,
	files pb.FileServiceClient,
	git pb.GitServiceClient,
	directory string,
) {
	fmt.Println("4. What git says.")
	path := directory + "/repository"
	_, err := files.MakeDirectory(ctx, &pb.MakeDirectoryRequest{Path: path, Parents: true})
	check(err)
	stream, err := commands.Exec(ctx, &pb.ExecRequest{
		Program:          &pb.ExecRequest_Command{Command: prepare},
		WorkingDirectory: path,
	})
	check(err)
	for ended := false; !ended; {
		reply, err := stream.Recv()
		check(err)
		os.Stdout.Write(reply.GetEvent().GetOutput().GetData())
		if end := reply.GetEvent().GetEnded(); end != nil {
			ended = true
			if end.GetExitCode() != 0 {
				fail(fmt.Sprintf("git ended with exit code %d", end.GetExitCode()))
			}
		}
	}
	list, err := git.ListChanges(ctx, &pb.ListChangesRequest{Path: path})
	check(err)
	for _, change := range list.Changes {
		fmt.Println(strings.TrimPrefix(change.Status.String(), "GIT_CHANGE_STATUS_"), change.Path)
	}
}

func check(err error) {
	if err != nil {
		fail(err)
	}
}

// fail says why and ends; what is deferred does not run then.
func fail(why any) {
	os.RemoveAll(local)
	log.Fatal(why)
}
