package dev.yonder.example;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;

/** Checks the test vectors with the generated stubs. */
final class Vectors {
  private Vectors() {}

  static void check(Path file) throws Exception {
    List<JsonElement> vectors = JsonParser.parseString(Files.readString(file)).getAsJsonArray().asList();
    for (JsonElement vector : vectors) check(vector.getAsJsonObject());
    System.out.println(vectors.size() + " vectors checked");
  }

  private static void check(JsonObject vector) throws Exception {
    String name = vector.get("name").getAsString();
    ByteString wire = ByteString.copyFrom(HexFormat.of().parseHex(vector.get("wire").getAsString()));
    String type = vector.get("message").getAsString().replace("yonder.", "dev.yonder.");
    Message none = (Message) Class.forName(type).getMethod("getDefaultInstance").invoke(null);

    Message decoded = none.newBuilderForType().mergeFrom(wire).build();
    String meaning = JsonFormat.printer().print(decoded);
    if (!JsonParser.parseString(meaning).equals(vector.get("json"))) {
      throw new AssertionError(name + ": means " + meaning);
    }
    Message.Builder parsed = none.newBuilderForType();
    JsonFormat.parser().merge(vector.get("json").toString(), parsed);
    if (!vector.has("unknownFields") && !parsed.build().equals(decoded)) {
      throw new AssertionError(name + ": its JSON means " + parsed);
    }
    if (vector.get("roundTrips").getAsBoolean() && !decoded.toByteString().equals(wire)) {
      throw new AssertionError(name + ": is written as " + HexFormat.of().formatHex(decoded.toByteArray()));
    }
  }
}
