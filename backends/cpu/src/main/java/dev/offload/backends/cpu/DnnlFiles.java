package dev.offload.backends.cpu;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.JarURLConnection;
import java.net.URL;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;

/**
 * The native libraries of oneDNN as files. They come inside a jar, compressed; the loader of the
 * operating system wants files, both in one folder because one finds the other there. They are 93
 * MB, so they are unpacked once into a cache folder whose name holds their checksums and stay
 * there. The folder appears whole, by one rename, so any number of processes may start at once.
 */
final class DnnlFiles {
  /** Folder inside the jar {@code org.bytedeco:dnnl:linux-x86_64}. */
  private static final String RESOURCES = "org/bytedeco/dnnl/linux-x86_64/";

  private static final String GOMP = "libgomp.so.1";
  private static final String DNNL = "libdnnl.so.3";

  private DnnlFiles() {}

  /** The user's cache folder for this project, after the XDG base directory specification. */
  static Path userCache() {
    String configured = System.getenv("XDG_CACHE_HOME");
    Path base =
        configured == null || configured.isEmpty()
            ? Path.of(System.getProperty("user.home"), ".cache")
            : Path.of(configured);
    return base.resolve("offload");
  }

  /**
   * Unpacks the libraries unless they are there.
   *
   * @return their paths in the order in which they have to be loaded
   * @throws IOException if they are not on the class path or cannot be written
   */
  static List<Path> unpack(Path cache) throws IOException {
    List<PackedLibrary> libraries = List.of(PackedLibrary.find(GOMP), PackedLibrary.find(DNNL));
    Path folder = cache.resolve(folderName(libraries));
    if (!isComplete(folder, libraries)) {
      Files.createDirectories(cache);
      Path unfinished = Files.createTempDirectory(cache, "unfinished-");
      try {
        for (PackedLibrary library : libraries) {
          library.unpackTo(unfinished.resolve(library.name()));
        }
        publish(unfinished, folder, libraries);
      } finally {
        deleteTree(unfinished);
      }
    }
    return libraries.stream().map(library -> folder.resolve(library.name())).toList();
  }

  private static String folderName(List<PackedLibrary> libraries) {
    StringBuilder name = new StringBuilder("onednn");
    for (PackedLibrary library : libraries) {
      name.append("-%08x".formatted(library.checksum()));
    }
    return name.toString();
  }

  private static boolean isComplete(Path folder, List<PackedLibrary> libraries) throws IOException {
    for (PackedLibrary library : libraries) {
      Path file = folder.resolve(library.name());
      if (!Files.isRegularFile(file) || Files.size(file) != library.size()) {
        return false;
      }
    }
    return true;
  }

  private static void publish(Path unfinished, Path folder, List<PackedLibrary> libraries)
      throws IOException {
    if (Files.exists(folder) && !isComplete(folder, libraries)) {
      deleteTree(folder);
    }
    try {
      Files.move(unfinished, folder, StandardCopyOption.ATOMIC_MOVE);
    } catch (FileAlreadyExistsException | DirectoryNotEmptyException e) {
      if (!isComplete(folder, libraries)) { // otherwise another process was faster
        throw e;
      }
    }
  }

  private static void deleteTree(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> tree = Files.walk(folder)) {
      tree.sorted(Comparator.reverseOrder()).forEach(DnnlFiles::delete);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private static void delete(Path path) {
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * A library inside the jar.
   *
   * @param checksum CRC-32 as the jar states it
   */
  private record PackedLibrary(String name, URL resource, long size, long checksum) {

    static PackedLibrary find(String name) throws IOException {
      URL resource = DnnlFiles.class.getClassLoader().getResource(RESOURCES + name);
      if (resource == null) {
        throw new IOException(
            RESOURCES + name + " is not on the class path; add org.bytedeco:dnnl:linux-x86_64");
      }
      if (!(resource.openConnection() instanceof JarURLConnection connection)) {
        throw new IOException(resource + " is not inside a jar");
      }
      JarEntry entry = connection.getJarEntry();
      return new PackedLibrary(name, resource, entry.getSize(), entry.getCrc());
    }

    void unpackTo(Path file) throws IOException {
      CRC32 crc = new CRC32();
      try (InputStream in = new CheckedInputStream(resource.openStream(), crc)) {
        Files.copy(in, file);
      }
      if (crc.getValue() != checksum) {
        throw new IOException(
            "%s unpacked from %s has checksum %08x instead of %08x"
                .formatted(file, resource, crc.getValue(), checksum));
      }
    }
  }
}
