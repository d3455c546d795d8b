package dev.offload.jobs;

import dev.offload.jobs.journal.JobDescription;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * Says which job this is, so that a journal is never continued with another input, model or
 * options. The checksums tell edited files apart; they are no defence against forgery.
 */
final class JobIdentity {
  private static final int BUFFER_BYTES = 1 << 20;

  /**
   * Of a weight file this much is looked at: its header, and with that the names of all tensors.
   */
  private static final long WEIGHT_FILE_BYTES = 1 << 16;

  private JobIdentity() {}

  /**
   * What decides the answers.
   *
   * @param options name to value, of those options that change what is generated
   */
  static JobDescription describe(Path input, Path model, Map<String, String> options)
      throws IOException {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("bytes of the input", Long.toString(Files.size(input)));
    facts.put("checksum of the input", checksum(input));
    facts.put("checksum of the model folder", modelChecksum(model));
    facts.putAll(options);
    return new JobDescription(facts);
  }

  /** A short name of the job for answers: the same job always has the same. */
  static String shortName(JobDescription description) {
    return hex(new CRC32C(), description.facts().toString().getBytes(StandardCharsets.UTF_8));
  }

  /** A checksum of a text that is too long to be told in full. */
  static String checksum(String text) {
    return hex(new CRC32C(), text.getBytes(StandardCharsets.UTF_8));
  }

  /** A checksum of all of a file. */
  static String checksum(Path file) throws IOException {
    return checksum(file, Long.MAX_VALUE);
  }

  private static String modelChecksum(Path folder) throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.list(folder)) {
      files = all.filter(JobIdentity::belongsToModel).sorted().toList();
    }
    StringBuilder text = new StringBuilder();
    for (Path file : files) {
      boolean weights = file.toString().endsWith(".safetensors");
      text.append(file.getFileName()).append(' ').append(Files.size(file)).append(' ');
      text.append(checksum(file, weights ? WEIGHT_FILE_BYTES : Long.MAX_VALUE)).append('\n');
    }
    return hex(new CRC32C(), text.toString().getBytes(StandardCharsets.UTF_8));
  }

  private static boolean belongsToModel(Path file) {
    String name = file.getFileName().toString();
    boolean read =
        name.endsWith(".safetensors")
            || name.endsWith(".json")
            || name.endsWith(".jinja")
            || name.equals("merges.txt");
    return read && Files.isRegularFile(file);
  }

  private static String checksum(Path file, long most) throws IOException {
    CRC32C checksum = new CRC32C();
    byte[] buffer = new byte[BUFFER_BYTES];
    try (InputStream in = Files.newInputStream(file)) {
      for (long left = most; left > 0; ) {
        int count = in.read(buffer, 0, (int) Math.min(buffer.length, left));
        if (count < 0) {
          break;
        }
        checksum.update(buffer, 0, count);
        left -= count;
      }
    }
    return hex(checksum, new byte[0]);
  }

  private static String hex(CRC32C checksum, byte[] more) {
    checksum.update(more, 0, more.length);
    return "%08x".formatted(checksum.getValue());
  }
}
