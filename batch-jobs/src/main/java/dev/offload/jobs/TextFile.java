package dev.offload.jobs;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads a file whose text is part of the usage. */
final class TextFile {
  private TextFile() {}

  /**
   * All of the text.
   *
   * @param option that names the file
   */
  static String read(String option, Path file) throws RefusedException, IOException {
    if (!Files.isRegularFile(file)) {
      throw new RefusedException(option + " " + file + " is no file");
    }
    try {
      return Files.readString(file);
    } catch (CharacterCodingException e) {
      throw new RefusedException(option + " " + file + " is not valid UTF-8", e);
    }
  }
}
