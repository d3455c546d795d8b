package dev.offload.text;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import dev.offload.generation.TokenIds;
import java.io.IOException;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * A tokenizer inside Hugging Face's native library. Thread-safe.
 *
 * <p>It calls the JNI functions of ai.djl.huggingface:tokenizers directly: that artifact's own
 * loader looks for a GPU, may download, and costs a second of start-up with JNA.
 */
final class NativeTokenizer implements AutoCloseable {
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
  private final TokenizersLibrary library = TokenizersLibrary.LIB;
  private final long handle;
  private boolean closed;

  private NativeTokenizer(long handle) {
    this.handle = handle;
  }

  static NativeTokenizer open(TokenizerSource source) throws IOException {
    TokenizersNative.load();
    try {
      long handle = TokenizersLibrary.LIB.createTokenizerFromString(source.json());
      // A tokenizer.json may carry the settings of its training run.
      TokenizersLibrary.LIB.disableTruncation(handle);
      TokenizersLibrary.LIB.disablePadding(handle);
      return new NativeTokenizer(handle);
    } catch (RuntimeException e) {
      throw source.broken(e.getMessage(), e);
    }
  }

  TokenIds encode(String text, boolean addSpecialTokens) {
    lock.readLock().lock();
    try {
      if (closed) {
        throw new IllegalStateException("the tokenizer is closed");
      }
      long encoding = library.encode(handle, text, addSpecialTokens);
      try {
        return narrow(library.getTokenIds(encoding));
      } finally {
        library.deleteEncoding(encoding);
      }
    } finally {
      lock.readLock().unlock();
    }
  }

  private static TokenIds narrow(long[] ids) {
    int[] narrow = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      narrow[i] = Math.toIntExact(ids[i]);
    }
    return TokenIds.of(narrow);
  }

  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        library.deleteTokenizer(handle);
      }
    } finally {
      lock.writeLock().unlock();
    }
  }
}
