// Checks the test vectors with the generated stubs: go run ./vectors ../../test/vectors/messages.json
package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"reflect"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	_ "github.com/yonder-dev/yonder/examples/go/gen/yonder/workspace/v1"
)

type vector struct {
	Name          string          `json:"name"`
	Message       string          `json:"message"`
	Wire          string          `json:"wire"`
	JSON          json.RawMessage `json:"json"`
	RoundTrips    bool            `json:"roundTrips"`
	UnknownFields bool            `json:"unknownFields"`
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("the file of the vectors is to be given")
	}
	text, err := os.ReadFile(os.Args[1])
	check("the file", err)
	var vectors []vector
	check("the file", json.Unmarshal(text, &vectors))
	for _, vector := range vectors {
		vector.check()
	}
	fmt.Println(len(vectors), "vectors checked")
}

func (v vector) check() {
	wire, err := hex.DecodeString(v.Wire)
	check(v.Name, err)
	kind, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(v.Message))
	check(v.Name, err)
	decoded, parsed := kind.New().Interface(), kind.New().Interface()
	check(v.Name, proto.Unmarshal(wire, decoded))
	meaning, err := protojson.Marshal(decoded)
	check(v.Name, err)
	if !reflect.DeepEqual(value(meaning), value(v.JSON)) {
		log.Fatalf("%s: means %s", v.Name, meaning)
	}
	check(v.Name, protojson.Unmarshal(v.JSON, parsed))
	if !v.UnknownFields && !proto.Equal(decoded, parsed) {
		log.Fatalf("%s: its JSON means %v", v.Name, parsed)
	}
	if !v.RoundTrips {
		return
	}
	for _, message := range []proto.Message{decoded, parsed} {
		again, err := proto.Marshal(message)
		check(v.Name, err)
		// Go writes a oneof after all other fields, so that the order may differ, and nothing else.
		same := kind.New().Interface()
		check(v.Name, proto.Unmarshal(again, same))
		if len(again) != len(wire) || !proto.Equal(same, decoded) {
			log.Fatalf("%s: is written as %x", v.Name, again)
		}
	}
}

func value(text []byte) (result any) {
	check(string(text), json.Unmarshal(text, &result))
	return result
}

func check(what string, err error) {
	if err != nil {
		log.Fatalf("%s: %v", what, err)
	}
}
