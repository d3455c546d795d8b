package dev.offload.jobs.journal;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * Puts the output and error files together from the journal, in input order, as soon as rows become
 * contiguous. Until the job is finished they are called {@code ….partial}; begun again from the
 * journal on every start, they hold nothing that the journal does not. Owned by one thread.
 */
public final class OrderedOutput implements AutoCloseable {
  private static final int BUFFER_BYTES = 1 << 18;

  private final Part answers;
  private final Part errors;
  private final PlaceWindow window = new PlaceWindow();

  private OrderedOutput(Part answers, Part errors) {
    this.answers = answers;
    this.errors = errors;
  }

  /**
   * Begins both files.
   *
   * @param output where answers are once the job is finished
   * @param errors where errors are then, if there are any
   */
  public static OrderedOutput open(Path output, Path errors) throws IOException {
    Part answers = Part.open(output);
    try {
      return new OrderedOutput(answers, Part.open(errors));
    } catch (IOException e) {
      answers.close();
      throw e;
    }
  }

  /**
   * Notes that a row is in the journal.
   *
   * @return false if it was there already
   */
  public boolean add(long row, long record) {
    return window.put(row, record);
  }

  /** Whether a row is in the journal. */
  public boolean has(long row) {
    return window.has(row);
  }

  /** Rows from 0 up to this one are in the files. */
  public long rows() {
    return window.first();
  }

  /** How many lines the error file has. */
  public long errorRows() {
    return errors.lines;
  }

  /** Appends all rows that have become contiguous. */
  public void advance(Journal journal) throws IOException {
    for (long record; (record = window.take()) != 0; ) {
      Part part =
          switch (journal.kind(record)) {
            case ANSWER -> answers;
            case ERROR -> errors;
          };
      part.append(journal.payload(record));
    }
    answers.flush();
    errors.flush();
  }

  /**
   * Gives both files their names, whole and on disk. An error file without lines is not kept.
   *
   * @param rows how many there must be
   * @param form what the lines of answers become
   */
  public void publish(long rows, OutputForm form) throws IOException {
    if (window.first() != rows) {
      throw new IllegalStateException(
          "row %d of %d has neither answer nor error".formatted(window.first(), rows));
    }
    answers.close();
    Path whole = form.whole(partial(answers.file));
    errors.close();
    if (errors.lines > 0) {
      errors.publish(partial(errors.file));
    } else {
      Files.delete(partial(errors.file));
      Files.deleteIfExists(errors.file);
    }
    answers.publish(whole);
  }

  /** Closes and deletes the unfinished files. */
  public void discard() throws IOException {
    close();
    Files.deleteIfExists(partial(answers.file));
    Files.deleteIfExists(partial(errors.file));
  }

  @Override
  public void close() throws IOException {
    try (answers) {
      errors.close();
    }
  }

  /** Where a file is until the job is finished. */
  public static Path partial(Path file) {
    return file.resolveSibling(file.getFileName() + ".partial");
  }

  /** One of the two files. */
  private static final class Part implements AutoCloseable {
    private final Path file;
    private final OutputStream out;
    private long lines;

    private Part(Path file, OutputStream out) {
      this.file = file;
      this.out = out;
    }

    static Part open(Path file) throws IOException {
      OutputStream out = Files.newOutputStream(partial(file));
      return new Part(file, new BufferedOutputStream(out, BUFFER_BYTES));
    }

    void append(byte[] line) throws WriteException {
      try {
        out.write(line);
        out.write('\n');
      } catch (IOException e) {
        throw new WriteException(partial(file), e);
      }
      lines++;
    }

    void flush() throws WriteException {
      try {
        out.flush();
      } catch (IOException e) {
        throw new WriteException(partial(file), e);
      }
    }

    /** Gives the file's name to what it has become. */
    void publish(Path whole) throws IOException {
      force(whole, StandardOpenOption.WRITE);
      Files.move(whole, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      force(file.toAbsolutePath().getParent(), StandardOpenOption.READ);
      Files.deleteIfExists(partial(file));
    }

    private static void force(Path path, StandardOpenOption access) throws IOException {
      try (FileChannel channel = FileChannel.open(path, access)) {
        channel.force(true);
      }
    }

    @Override
    public void close() throws IOException {
      out.close();
    }
  }
}
