package dev.offload.jobs.journal;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * Keeps a second process, or a second job of this one, away from an output. It is a file of its
 * own: POSIX drops a lock as soon as the process closes any descriptor of the locked file.
 */
public final class JobLock implements AutoCloseable {
  private final Path file;
  private final FileChannel channel;

  private JobLock(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /** Takes the lock, or says no if somebody else has it. */
  public static Optional<JobLock> tryTake(Path file) throws IOException {
    FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      FileLock lock = channel.tryLock();
      // The file is gone if its last owner finished between our opening and our locking it.
      if (lock != null && Files.exists(file)) {
        return Optional.of(new JobLock(file, channel));
      }
    } catch (OverlappingFileLockException e) {
      // Held by another job of this process: the same answer as from another process.
    } catch (IOException e) {
      channel.close();
      throw e;
    }
    channel.close();
    return Optional.empty();
  }

  /** Deletes the file, and with that gives the lock back. */
  @Override
  public void close() throws IOException {
    Files.deleteIfExists(file);
    channel.close();
  }
}
