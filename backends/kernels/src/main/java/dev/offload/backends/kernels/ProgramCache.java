package dev.offload.backends.kernels;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;

/**
 * Programs as a device's compiler left them, in files. What cannot be read or written is compiled
 * again: the cache saves time and nothing else. Thread-safe, for several processes too.
 */
public final class ProgramCache {
  private static final System.Logger LOGGER = System.getLogger(ProgramCache.class.getName());

  private final Path folder;

  public ProgramCache(Path folder) {
    this.folder = folder;
  }

  /**
   * The cache of this user.
   *
   * @param backend name of the folder
   */
  public static ProgramCache ofUser(String backend) {
    return new ProgramCache(Path.of(System.getProperty("user.home"), ".cache", "offload", backend));
  }

  /** Name of a program: a hash of all that its binary depends on. */
  public static String key(String... parts) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (String part : parts) {
        digest.update(part.getBytes(UTF_8));
        digest.update((byte) 0);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }

  public Optional<byte[]> read(String key) {
    try {
      return Optional.of(Files.readAllBytes(folder.resolve(key)));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** Keeps a program. A reader never sees half of it. */
  public void write(String key, byte[] binary) {
    try {
      Files.createDirectories(folder);
      Path part = Files.createTempFile(folder, key, ".part");
      try {
        Files.write(part, binary);
        Files.move(part, folder.resolve(key), StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(part);
      }
    } catch (IOException e) {
      LOGGER.log(Level.WARNING, "programs are compiled again at every start: {0}", e.toString());
    }
  }
}
