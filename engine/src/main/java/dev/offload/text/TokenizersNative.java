package dev.offload.text;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Loads the native library that the tokenizers artifact carries, once per JVM. The file is unpacked
 * into the user's cache folder ({@value #CACHE_VARIABLE} if set, else {@code
 * $XDG_CACHE_HOME/offload}, else {@code ~/.cache/offload}), because a library can only be loaded
 * from a file.
 */
final class TokenizersNative {
  /** Environment variable that names the cache folder. */
  static final String CACHE_VARIABLE = "OFFLOAD_CACHE_DIR";

  private static final String NAME = System.mapLibraryName("tokenizers");

  private TokenizersNative() {}

  /**
   * Makes the native functions callable.
   *
   * @throws IOException if there is no library for this machine, or it cannot be unpacked
   */
  static void load() throws IOException {
    if (Holder.FAILURE.isPresent()) {
      throw new IOException("cannot load the tokenizers library: " + Holder.FAILURE.get());
    }
  }

  private static final class Holder {
    static final Optional<String> FAILURE = tryLoad();

    private static Optional<String> tryLoad() {
      try {
        for (String name : names()) {
          System.load(unpacked(platform(), name).toString());
        }
        return Optional.empty();
      } catch (IOException | UnsatisfiedLinkError e) {
        return Optional.of(String.valueOf(e.getMessage()));
      }
    }
  }

  /** Libraries in the order in which they need each other. */
  private static List<String> names() {
    return os().equals("win")
        ? List.of("libwinpthread-1.dll", "libgcc_s_seh-1.dll", "libstdc++-6.dll", NAME)
        : List.of(NAME);
  }

  private static String os() {
    String name = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    if (name.startsWith("mac")) {
      return "osx";
    }
    return name.startsWith("win") ? "win" : name;
  }

  private static String platform() {
    String arch = System.getProperty("os.arch");
    return os() + "-" + (arch.equals("amd64") ? "x86_64" : arch);
  }

  private static Path unpacked(String platform, String name) throws IOException {
    String resource = "/native/lib/" + platform + "/cpu/" + name;
    URL url = TokenizersNative.class.getResource(resource);
    if (url == null) {
      throw new IOException("the tokenizers artifact has none for " + platform);
    }
    URLConnection packed = url.openConnection();
    long bytes = packed.getContentLengthLong();
    Path folder = cacheFolder().resolve("tokenizers-" + platform + "-" + bytes);
    Path file = folder.resolve(name);
    if (!Files.isRegularFile(file) || Files.size(file) != bytes) {
      Files.createDirectories(folder);
      Path half = Files.createTempFile(folder, name, ".part");
      try (InputStream in = packed.getInputStream()) {
        Files.copy(in, half, StandardCopyOption.REPLACE_EXISTING);
        Files.move(half, file, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(half);
      }
    }
    return file.toAbsolutePath();
  }

  private static Path cacheFolder() {
    String chosen = System.getenv(CACHE_VARIABLE);
    if (chosen != null && !chosen.isBlank()) {
      return Path.of(chosen);
    }
    String xdg = System.getenv("XDG_CACHE_HOME");
    Path caches =
        xdg != null && !xdg.isBlank()
            ? Path.of(xdg)
            : Path.of(System.getProperty("user.home"), ".cache");
    return caches.resolve("offload");
  }
}
