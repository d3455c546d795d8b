package dev.offload.jobs;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * A folder that is deleted with the files in it when it is closed, and when the process ends before
 * that by a signal. Only a process that is killed outright leaves it behind.
 */
final class TemporaryFolder implements AutoCloseable {
  private final Path path;
  private final Thread hook = new Thread(this::deleteAtEnd, "offload-delete");

  private TemporaryFolder(Path path) {
    this.path = path;
  }

  /** A new folder inside of another one. */
  static TemporaryFolder in(Path parent) throws IOException {
    TemporaryFolder folder = new TemporaryFolder(Files.createTempDirectory(parent, "offload-"));
    Runtime.getRuntime().addShutdownHook(folder.hook);
    return folder;
  }

  Path path() {
    return path;
  }

  @Override
  public void close() throws IOException {
    delete();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The process is ending, and the hook finds nothing left to delete.
    }
  }

  private void deleteAtEnd() {
    try {
      delete();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whoever still writes may add a file at the last moment, but not once the folder is gone. */
  private synchronized void delete() throws IOException {
    while (Files.exists(path)) {
      try (Stream<Path> files = Files.list(path)) {
        for (Path file : files.toList()) {
          Files.deleteIfExists(file);
        }
        Files.deleteIfExists(path);
      } catch (DirectoryNotEmptyException e) {
        Thread.onSpinWait();
      }
    }
  }
}
