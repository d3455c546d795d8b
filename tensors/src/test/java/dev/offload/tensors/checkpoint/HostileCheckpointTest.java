package dev.offload.tensors.checkpoint;

import static dev.offload.tensors.checkpoint.SafetensorsFile.entry;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.tensors.ModelException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostileCheckpointTest {
  private static final String SOUND = "{" + entry("a", "F32", "[2,3]", 0, 24) + "}";

  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void nameFile() {
    file = folder.resolve("model.safetensors");
  }

  @Test
  void shouldOpenASoundFile() throws IOException {
    SafetensorsFile.write(
        file,
        "{\"__metadata__\":{\"format\":\"pt\"},"
            + entry("b", "I64", "[]", 32, 40)
            + ","
            + entry("odd", "F8_E4M3", "[7]", 24, 31)
            + ","
            + entry("future", "F3_X", "[100]", 40, 40)
            + ","
            + entry("a", "F32", "[2,3]", 0, 24)
            + "}",
        40);
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      assertEquals(List.of("a", "b", "future", "odd"), List.copyOf(checkpoint.names()));
      StoredTensor tensor = checkpoint.require("a");
      assertEquals(List.of(2L, 3L), tensor.shape());
      assertEquals(24, checkpoint.bytes(tensor).byteSize());
      assertTrue(checkpoint.bytes(tensor).isReadOnly());
      assertEquals(List.of(), checkpoint.require("b").shape());
      assertFalse(checkpoint.find("c").isPresent());
    }
  }

  @Test
  void shouldMapFilesBeyond2Gib() throws IOException {
    long far = 5L << 30;
    byte[] json =
        ("{" + entry("far", "F32", "[1]", far, far + 4) + "}").getBytes(StandardCharsets.UTF_8);
    SafetensorsFile.write(file, json.length, json, 0);
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.seek(8 + json.length + far);
      sparse.writeInt(Integer.reverseBytes(Float.floatToRawIntBits(1.5f)));
    }
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      MemorySegment bytes = checkpoint.bytes(checkpoint.require("far"));
      assertEquals(1.5f, bytes.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0));
    }
  }

  @Test
  void shouldRefuseAFolderWithoutWeights() throws IOException {
    refuses("holds neither model.safetensors nor model.safetensors.index.json");
    Files.writeString(folder.resolve("pytorch_model.bin"), "");
    refuses("convert pytorch_model.bin to safetensors first");
    assertThrows(ModelException.class, () -> Checkpoint.open(folder.resolve("nowhere")));
  }

  @Test
  void shouldRefuseATruncatedFile() throws IOException {
    Files.write(file, new byte[5]);
    refuses("model.safetensors: is only 5 bytes long; download the file again");
    SafetensorsFile.write(file, SOUND, 23);
    refuses("tensor a has data_offsets [0, 24], but the file holds only 23 bytes of data");
    SafetensorsFile.write(file, 100, SOUND.getBytes(StandardCharsets.UTF_8), 0);
    refuses("header length is 100 bytes, but the file has only");
  }

  @Test
  void shouldRefuseAbsurdHeaderLengths() throws IOException {
    SafetensorsFile.write(file, 100_000_001L, new byte[10], 0);
    refuses("header length is 100000001 bytes, at most 100000000 are possible");
    SafetensorsFile.write(file, -1L, new byte[10], 0);
    refuses("header length is 18446744073709551615 bytes");
    SafetensorsFile.write(file, 0, new byte[0], 24);
    refuses("header is no JSON object");
  }

  @Test
  void shouldRefuseBrokenHeaders() throws IOException {
    refusesHeader("{\"a\":", "header holds broken JSON");
    refusesHeader("[]", "header is no JSON object");
    refusesHeader("\u0000\u0001", "header holds broken JSON");
    refusesHeader(SOUND + "x", "header holds broken JSON");
    refusesHeader(SOUND + "{}", "header goes on after its JSON object");
    refusesHeader("{\"a\":7}", "tensor a is no JSON object");
    refusesHeader("{\"a\":{}}", "tensor a needs the fields dtype, shape and data_offsets");
    refusesHeader(
        "{\"a\":{\"dtype\":4,\"shape\":[],\"data_offsets\":[0,4]}}", "a dtype that is no text");
    refusesHeader(
        "{\"a\":{\"dtype\":\"F32\",\"shape\":2,\"data_offsets\":[0,4]}}",
        "a shape that is no list");
    refusesHeader(
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4],\"lie\":1}}",
        "tensor a has an unknown field 'lie'");
    refusesHeader("{\"a\":".repeat(100) + "1" + "}".repeat(100), "tensor a has an unknown field");
    refusesHeader("{\"__metadata__\":" + "[".repeat(5000), "header holds broken JSON");
  }

  @Test
  void shouldRefuseATensorThatIsNamedTwice() throws IOException {
    refusesHeader(
        "{" + entry("a", "F32", "[1]", 0, 4) + "," + entry("a", "F32", "[1]", 4, 8) + "}",
        "Duplicate field 'a'");
    refusesHeader(
        "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F16\",\"shape\":[],\"data_offsets\":[0,4]}}",
        "Duplicate field 'dtype'");
  }

  @Test
  void shouldRefuseOffsetsThatMakeNoSense() throws IOException {
    refusesHeader(
        "{" + entry("a", "F32", "[1]", 8, 4) + "}",
        "tensor a has data_offsets [8, 4], which are no range");
    refusesHeader("{" + entry("a", "F32", "[1]", -4, 0) + "}", "has -4 in its data_offsets");
    refusesHeader(
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}",
        "more than 2 numbers in its data_offsets");
    refusesHeader(
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}",
        "data_offsets [0], which are no range");
    refusesHeader(
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,99999999999999999999]}}",
        "has 99999999999999999999 in its data_offsets");
    refusesHeader(
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4.5]}}",
        "data_offsets that holds more than whole numbers");
    refusesHeader(
        "{" + entry("a", "F32", "[1]", 1L << 62, (1L << 62) + 4) + "}",
        "but the file holds only 40 bytes of data");
  }

  @Test
  void shouldRefuseOverlapsButNotGaps() throws IOException {
    refusesHeader(
        "{" + entry("a", "F32", "[2]", 0, 8) + "," + entry("b", "F32", "[2]", 4, 12) + "}",
        "tensor b overlaps tensor a");
    SafetensorsFile.write(
        file,
        "{" + entry("a", "F32", "[2]", 0, 8) + "," + entry("b", "F32", "[2]", 16, 24) + "}",
        40);
    Checkpoint.open(folder).close();
  }

  @Test
  void shouldRefuseShapesThatDoNotFitTheirBytes() throws IOException {
    refusesHeader(
        "{" + entry("a", "BF16", "[3,5]", 0, 28) + "}",
        "tensor a has the shape [3, 5], 30 bytes of BF16, but its data_offsets span 28 bytes");
    refusesHeader(
        "{" + entry("a", "F32", "[4294967296,4294967296]", 0, 4) + "}",
        "more than 2^63-1 bytes of F32");
    refusesHeader(
        "{" + entry("a", "F32", "[1,1,1,1,1,1,1,1,1]", 0, 4) + "}",
        "more than 8 numbers in its shape");
    refusesHeader("{" + entry("a", "F32", "[-1]", 0, 4) + "}", "has -1 in its shape");
  }

  @Test
  void shouldRefuseAFormatOnlyWhenItIsUsed() throws IOException {
    SafetensorsFile.write(file, "{" + entry("a", "F8_E5M2", "[4]", 0, 4) + "}", 4);
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      StoredTensor tensor = checkpoint.require("a");
      ModelException e = assertThrows(ModelException.class, tensor::format);
      assertContains(e, "tensor a is stored as F8_E5M2; only F32, F16 and BF16 are supported");
      e = assertThrows(ModelException.class, () -> checkpoint.require("b"));
      assertContains(e, "the checkpoint holds no tensor b, which the model needs");
    }
  }

  @Test
  void shouldReadShards() throws IOException {
    shard("one.safetensors", "a");
    shard("two.safetensors", "b", "unnamed");
    index("\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"");
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      assertEquals(List.of("a", "b"), List.copyOf(checkpoint.names()));
      assertEquals("two.safetensors", checkpoint.require("b").file().getFileName().toString());
    }
  }

  @Test
  void shouldRefuseShardsThatAreMissingOrLackATensor() throws IOException {
    shard("one.safetensors", "a");
    index("\"a\":\"one.safetensors\",\"b\":\"gone.safetensors\"");
    refuses("weight_map.b is \"gone.safetensors\"; it names a file that is missing; download it");
    index("\"a\":\"one.safetensors\",\"b\":\"one.safetensors\"");
    refuses("one.safetensors: holds no tensor b, although model.safetensors.index.json says so");
  }

  @Test
  void shouldRefuseBrokenIndexes() throws IOException {
    shard("one.safetensors", "a");
    index("\"a\":\"one.safetensors\",\"a\":\"one.safetensors\"");
    refuses("Duplicate field 'a'");
    index("\"a\":7");
    refuses("weight_map.a is 7; it must be a text");
    index("");
    refuses("weight_map is empty");
    Files.writeString(folder.resolve(CheckpointFiles.INDEX), "{}");
    refuses("weight_map is missing");
    Files.writeString(folder.resolve(CheckpointFiles.INDEX), "[1");
    refuses("model.safetensors.index.json: broken JSON");
    Files.writeString(folder.resolve(CheckpointFiles.INDEX), "");
    refuses("model.safetensors.index.json: holds no JSON object");
  }

  @Test
  void shouldRefuseShardNamesThatLeaveTheFolder() throws IOException {
    Path outside = Files.createDirectory(folder.resolve("model"));
    shard("secret.safetensors", "a");
    Path inner = outside;
    for (String name :
        List.of(
            "../secret.safetensors",
            "..",
            ".",
            "",
            "sub/../../secret.safetensors",
            "..\\\\secret.safetensors",
            "a\\u0000b",
            folder.toAbsolutePath() + "/secret.safetensors")) {
      Files.writeString(
          inner.resolve(CheckpointFiles.INDEX), "{\"weight_map\":{\"a\":\"" + name + "\"}}");
      ModelException e = assertThrows(ModelException.class, () -> Checkpoint.open(inner), name);
      assertContains(e, "it must be the plain name of a file in the same folder");
    }
  }

  @Test
  void shouldRefuseLinksThatLeaveTheFolder() throws IOException {
    Path model = Files.createDirectory(folder.resolve("model"));
    shard("secret.safetensors", "a");
    Path secret = folder.resolve("secret.safetensors");
    Files.createSymbolicLink(model.resolve("one.safetensors"), secret);
    Files.writeString(
        model.resolve(CheckpointFiles.INDEX), "{\"weight_map\":{\"a\":\"one.safetensors\"}}");
    ModelException e = assertThrows(ModelException.class, () -> Checkpoint.open(model));
    assertContains(e, "one.safetensors: is a link to " + secret.toRealPath());
    Files.createSymbolicLink(model.resolve("model.safetensors"), secret);
    e = assertThrows(ModelException.class, () -> Checkpoint.open(model));
    assertContains(e, "outside of the model folder");
  }

  @Test
  void shouldFollowTheLinksOfTheDownloadCache() throws IOException {
    Path blobs = Files.createDirectory(folder.resolve("blobs"));
    Path snapshot = Files.createDirectories(folder.resolve("snapshots").resolve("0123"));
    SafetensorsFile.write(blobs.resolve("abc"), SOUND, 24);
    Files.createSymbolicLink(
        snapshot.resolve("model.safetensors"), Path.of("..", "..", "blobs", "abc"));
    try (Checkpoint checkpoint = Checkpoint.open(snapshot)) {
      assertTrue(checkpoint.find("a").isPresent());
    }
  }

  @Test
  void shouldRefuseAFolderInPlaceOfAFile() throws IOException {
    Files.createDirectory(file);
    refuses("model.safetensors: is no regular file");
  }

  private void shard(String name, String... tensors) throws IOException {
    String entries =
        IntStream.range(0, tensors.length)
            .mapToObj(i -> entry(tensors[i], "F32", "[1]", 4L * i, 4L * i + 4))
            .collect(Collectors.joining(","));
    SafetensorsFile.write(folder.resolve(name), "{" + entries + "}", 4 * tensors.length);
  }

  private void index(String entries) throws IOException {
    Files.writeString(folder.resolve(CheckpointFiles.INDEX), "{\"weight_map\":{" + entries + "}}");
  }

  private void refusesHeader(String header, String message) throws IOException {
    SafetensorsFile.write(file, header, 40);
    refuses(message);
  }

  private void refuses(String message) {
    assertContains(assertThrows(ModelException.class, () -> Checkpoint.open(folder)), message);
  }

  private void assertContains(ModelException e, String part) {
    assertTrue(e.getMessage().contains(part), () -> "'" + part + "' is not in: " + e.getMessage());
    assertTrue(e.getMessage().contains(folder.toString()), e.getMessage());
    assertFalse(e.getMessage().contains("\n"), e.getMessage());
  }
}
