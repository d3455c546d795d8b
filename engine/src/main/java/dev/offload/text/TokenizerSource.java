package dev.offload.text;

import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The text of a tokenizer.json, and the file it came from for messages.
 *
 * @param file where it was read
 * @param json the document
 */
record TokenizerSource(Path file, String json) {
  /** Longer files are refused. The largest known one has 33 MB. */
  private static final long MOST_BYTES = 512L << 20;

  /** Reads a model folder's tokenizer, or makes one from vocab.json and merges.txt. */
  static TokenizerSource read(Path folder) throws IOException {
    Path file = folder.resolve("tokenizer.json");
    if (Files.exists(file)) {
      return new TokenizerSource(file, readText(file));
    }
    Path vocabulary = folder.resolve("vocab.json");
    Path merges = folder.resolve("merges.txt");
    if (Files.exists(vocabulary) && Files.exists(merges)) {
      return new TokenizerSource(vocabulary, Gpt2TokenizerFiles.read(folder).toTokenizerJson());
    }
    throw missing(folder);
  }

  private static IOException missing(Path folder) {
    if (Files.exists(folder.resolve("tokenizer.model"))) {
      return new IOException(
          folder.resolve("tokenizer.model")
              + ": SentencePiece models are not read; load it with transformers' AutoTokenizer and"
              + " call save_pretrained, which writes tokenizer.json");
    }
    return new IOException(
        folder
            + ": no tokenizer.json, and no vocab.json with merges.txt; copy the tokenizer's files from"
            + " where the model was published into this folder");
  }

  /** The text of a file, which must be UTF-8. */
  static String readText(Path file) throws IOException {
    long bytes = Files.size(file);
    if (bytes > MOST_BYTES) {
      throw new IOException(
          "%s: has %d bytes, at most %d are read".formatted(file, bytes, MOST_BYTES));
    }
    try {
      return Files.readString(file);
    } catch (MalformedInputException e) {
      throw new IOException(file + ": is not UTF-8; copy the file again", e);
    }
  }

  /** The error for a document that is not a usable tokenizer. */
  IOException broken(String reason, Exception cause) {
    return new IOException(
        "%s: not a usable tokenizer (%s); copy the file again from where the model was published"
            .formatted(file, reason),
        cause);
  }
}
