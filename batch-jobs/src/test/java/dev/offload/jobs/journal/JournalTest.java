package dev.offload.jobs.journal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournalTest {
  private static final JobDescription JOB =
      new JobDescription(Map.of("--seed", "0", "model", "00ff"));

  @TempDir private Path folder;
  private Path file;

  @BeforeEach
  void nameTheFile() {
    file = folder.resolve("out.jsonl.journal");
  }

  @Test
  void shouldReadBackWhatWasAppended() throws Exception {
    write("0a:first", "2e:bad row", "1a:");
    assertEquals(List.of("0a:first", "2e:bad row", "1a:"), read());
  }

  @Test
  void shouldContinueBehindTheLastRecord() throws Exception {
    write("0a:first");
    try (Journal journal = open(new ArrayList<>()).orElseThrow()) {
      assertEquals(77, journal.createdSeconds());
      assertEquals(0, journal.droppedBytes());
      journal.append(1, RecordKind.ERROR, utf8("second"));
      journal.force();
    }
    assertEquals(List.of("0a:first", "1e:second"), read());
  }

  @Test
  void shouldKeepPayloadsThatCrossSegments() throws Exception {
    Random random = new Random(5);
    List<byte[]> payloads = new ArrayList<>();
    for (int bytes : new int[] {3_000_000, 3_000_000, 10_000_001, 1, 65_536, 4 << 20}) {
      byte[] payload = new byte[bytes];
      random.nextBytes(payload);
      payloads.add(payload);
    }
    try (Journal journal = Journal.openNew(file, JOB, 77)) {
      List<Long> places = new ArrayList<>();
      for (byte[] payload : payloads) {
        places.add(journal.append(places.size(), RecordKind.ANSWER, payload));
      }
      journal.force();
      for (int i = 0; i < places.size(); i++) {
        assertArrayEquals(payloads.get(i), journal.payload(places.get(i)));
      }
    }
    List<Long> places = new ArrayList<>();
    Journal.Visitor visitor = (row, kind, place) -> places.add(place);
    try (Journal journal = Journal.openExisting(file, JOB, visitor).orElseThrow()) {
      assertEquals(payloads.size(), places.size());
      for (int i = 0; i < places.size(); i++) {
        assertArrayEquals(payloads.get(i), journal.payload(places.get(i)));
      }
    }
  }

  @Test
  void shouldKeepWholeRecordsWhereverTheFileIsCut() throws Exception {
    write("0a:first", "1e:second one", "2a:third");
    byte[] whole = Files.readAllBytes(file);
    int end = usedBytes();
    for (int cut = JournalLayout.HEADER_BYTES; cut <= end; cut++) {
      Files.write(file, Arrays.copyOf(whole, cut));
      List<String> expected = recordsWithin(cut);
      assertEquals(expected, read(), "cut at " + cut);
      if (cut % 5 != 0) {
        continue;
      }
      try (Journal journal = open(new ArrayList<>()).orElseThrow()) {
        journal.append(9, RecordKind.ANSWER, utf8("after the cut"));
        journal.force();
      }
      List<String> longer = new ArrayList<>(expected);
      longer.add("9a:after the cut");
      assertEquals(longer, read(), "cut at " + cut);
    }
  }

  @Test
  void shouldKeepWholeRecordsWhereverZerosFollow() throws Exception {
    write("0a:first", "1e:second one", "2a:third");
    byte[] whole = Files.readAllBytes(file);
    for (int cut = JournalLayout.HEADER_BYTES; cut <= usedBytes(); cut++) {
      Files.write(file, Arrays.copyOf(Arrays.copyOf(whole, cut), 1 << 16));
      List<String> found = read();
      assertTrue(found.size() <= 3, "cut at " + cut);
      assertEquals(
          List.of("0a:first", "1e:second one", "2a:third").subList(0, found.size()), found);
      assertTrue(found.size() >= recordsWithin(cut).size(), "cut at " + cut);
    }
  }

  @Test
  void shouldDropTheRecordWithAFlippedByteAndSayHowMuch() throws Exception {
    write("0a:first", "1e:second one", "2a:third");
    byte[] whole = Files.readAllBytes(file);
    int third = usedBytes() - (int) JournalLayout.recordBytes("third".length());
    int payloadEnd = third + JournalLayout.RECORD_HEADER_BYTES + "third".length();
    for (int i = third; i < payloadEnd; i++) {
      byte[] damaged = whole.clone();
      damaged[i] ^= (byte) (1 << (i % 8));
      Files.write(file, damaged);
      List<String> found = new ArrayList<>();
      try (Journal journal = open(found).orElseThrow()) {
        assertEquals(List.of("0a:first", "1e:second one"), found, "byte " + i);
        assertEquals(
            (double) (payloadEnd - third), (double) journal.droppedBytes(), 8.0, "byte " + i);
      }
    }
  }

  @Test
  void shouldBeginAnewIfTheHeaderWasNeverFinished() throws Exception {
    write();
    byte[] whole = Files.readAllBytes(file);
    for (int cut = 0; cut < JournalLayout.HEADER_BYTES; cut += 61) {
      Files.write(file, Arrays.copyOf(whole, cut));
      assertEquals(Optional.empty(), open(new ArrayList<>()));
    }
  }

  @Test
  void shouldRefuseADamagedHeaderInFrontOfRecords() throws Exception {
    write("0a:first");
    byte[] whole = Files.readAllBytes(file);
    for (int i = 0; i < JournalLayout.HEADER_BYTES; i += 53) {
      byte[] damaged = whole.clone();
      damaged[i] ^= 0x10;
      Files.write(file, damaged);
      assertThrows(JournalException.class, () -> open(new ArrayList<>()));
    }
  }

  @Test
  void shouldRefuseForeignFiles() throws Exception {
    Files.writeString(file, "{\"id\": 1}\n".repeat(1000));
    JournalException refusal = assertThrows(JournalException.class, () -> open(new ArrayList<>()));
    assertEquals("it is no journal of a job; move it away", refusal.getMessage());
    assertTrue(Files.readString(file).startsWith("{\"id\": 1}"), "the file was changed");
  }

  @Test
  void shouldRefuseAnotherJobNamingTheOption() throws Exception {
    write("0a:first");
    JobDescription other = new JobDescription(Map.of("--seed", "1", "model", "00ff"));
    JournalException refusal =
        assertThrows(
            JournalException.class,
            () -> Journal.openExisting(file, other, (row, kind, place) -> {}));
    assertTrue(
        refusal.getMessage().startsWith("it was begun with --seed = 0, now --seed = 1;"),
        refusal.getMessage());
  }

  private void write(String... records) throws IOException {
    try (Journal journal = Journal.openNew(file, JOB, 77)) {
      for (String record : records) {
        RecordKind kind = record.charAt(1) == 'a' ? RecordKind.ANSWER : RecordKind.ERROR;
        journal.append(record.charAt(0) - '0', kind, utf8(record.substring(3)));
      }
      journal.force();
    }
  }

  private List<String> read() throws Exception {
    List<String> found = new ArrayList<>();
    open(found).orElseThrow().close();
    return found;
  }

  private Optional<Journal> open(List<String> found) throws Exception {
    List<Long> places = new ArrayList<>();
    Optional<Journal> journal =
        Journal.openExisting(
            file,
            JOB,
            (row, kind, place) -> {
              places.add(place);
              found.add(row + (kind == RecordKind.ANSWER ? "a:" : "e:"));
            });
    for (int i = 0; i < found.size() && journal.isPresent(); i++) {
      byte[] payload = journal.get().payload(places.get(i));
      found.set(i, found.get(i) + new String(payload, StandardCharsets.UTF_8));
    }
    return journal;
  }

  private static int usedBytes() {
    return JournalLayout.HEADER_BYTES
        + (int) JournalLayout.recordBytes("first".length())
        + (int) JournalLayout.recordBytes("second one".length())
        + (int) JournalLayout.recordBytes("third".length());
  }

  /** The records whose payload ends at or before the cut. */
  private static List<String> recordsWithin(int cut) {
    List<String> records = new ArrayList<>();
    int place = JournalLayout.HEADER_BYTES;
    for (String record : List.of("0a:first", "1e:second one", "2a:third")) {
      int payload = record.length() - 3;
      if (place + JournalLayout.RECORD_HEADER_BYTES + payload <= cut) {
        records.add(record);
      }
      place += (int) JournalLayout.recordBytes(payload);
    }
    return records;
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
