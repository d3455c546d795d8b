package dev.offload.engine.kvcache;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.PinnedBuffer;
import dev.offload.backends.api.Stream;
import dev.offload.tensors.Tier;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * Blocks that wait in a temporary file, one after the other with all layers, through pinned memory
 * for one of them. The file is gone when it is closed; where the system lets open files be deleted
 * it has no name at any time, so that a killed process leaves nothing. If it cannot be written or
 * read, a warning is logged, and nothing is stored any more.
 */
public final class FileSwapArea extends SwapArea {
  private static final Logger LOG = System.getLogger(FileSwapArea.class.getName());

  /** What any disk does: 500 MB/s. */
  private static final double FIRST_NANOS_PER_BYTE = 2;

  /** Of what a disk has left, as others write there too. */
  private static final double SHARE_OF_DISK = 0.5;

  private final KvStore cache;
  private final int layers;
  private final Path folder;
  private final FileChannel file;
  private final PinnedBuffer block;
  private final Stream stream;
  private boolean failed;

  private FileSwapArea(
      Device device, KvStore cache, Path folder, FileChannel file, int places, int layers) {
    super(places, cache.blockBytes() * layers);
    this.cache = cache;
    this.layers = layers;
    this.folder = folder;
    this.file = file;
    this.block = device.allocatePinned("swapping of KV cache", cache.blockBytes() * layers);
    this.stream = device.newStream("file swap");
  }

  /**
   * Opens one; a file that cannot be made is logged as a warning.
   *
   * @param folder where the file is; absent means the system's temporary folder
   * @param mostPlaces how many blocks it holds if the disk has room
   * @return empty if there is no room, or if the folder is in memory, which would be beyond the
   *     budget
   * @throws dev.offload.backends.api.MemoryBudgetException if the budget does not suffice
   */
  public static Optional<FileSwapArea> tryOpen(
      Device device, KvStore cache, Optional<Path> folder, int mostPlaces, int layers) {
    try {
      Path path = newFile(folder);
      FileChannel file = open(path);
      try {
        Path parent = path.toAbsolutePath().getParent();
        FileStore disk = Files.getFileStore(parent);
        double room = SHARE_OF_DISK * disk.getUsableSpace() / (cache.blockBytes() * layers);
        int places = (int) Math.min(mostPlaces, room);
        if (places > 0 && !disk.type().equals("tmpfs")) {
          return Optional.of(new FileSwapArea(device, cache, parent, file, places, layers));
        }
        LOG.log(Level.DEBUG, "no room for swapped KV cache in {0}", parent);
        file.close();
        return Optional.empty();
      } catch (IOException | RuntimeException | Error e) {
        file.close();
        throw e;
      }
    } catch (IOException e) {
      warn(folder.map(Path::toString).orElse("the temporary folder"), e);
      return Optional.empty();
    }
  }

  private static Path newFile(Optional<Path> folder) throws IOException {
    return folder.isPresent()
        ? Files.createTempFile(folder.get(), "offload-", ".kv")
        : Files.createTempFile("offload-", ".kv");
  }

  private static FileChannel open(Path path) throws IOException {
    return FileChannel.open(
        path,
        StandardOpenOption.READ,
        StandardOpenOption.WRITE,
        StandardOpenOption.DELETE_ON_CLOSE);
  }

  private static void warn(String where, IOException e) {
    LOG.log(
        Level.WARNING,
        "a file in {0} for KV cache of preempted sequences failed, so they are computed again: {1};"
            + " check its disk or name another temporary folder",
        where,
        e);
  }

  @Override
  public Tier tier() {
    return Tier.DISK;
  }

  @Override
  double firstNanosPerByte() {
    return FIRST_NANOS_PER_BYTE;
  }

  @Override
  boolean tryCopy(int group, BlockTable blocks, int skipped, BlockTable saved, Way way) {
    if (failed) {
      return false;
    }
    try {
      for (int i = 0; i < saved.blocks(); i++) {
        long offset = saved.block(i) * block.bytes();
        switch (way) {
          case OUT -> write(group, blocks.block(skipped + i), offset);
          case BACK -> read(group, blocks.block(skipped + i), offset);
        }
      }
      return true;
    } catch (IOException e) {
      failed = true;
      warn(folder.toString(), e);
      return false;
    }
  }

  private void write(int group, int from, long offset) throws IOException {
    long layerBytes = cache.blockBytes();
    for (int layer = 0; layer < layers; layer++) {
      cache.copyOut(stream, layer, group, from, block, layer * layerBytes, layerBytes);
    }
    stream.synchronize();
    ByteBuffer bytes = block.segment().asByteBuffer();
    while (bytes.hasRemaining()) {
      file.write(bytes, offset + bytes.position());
    }
  }

  private void read(int group, int to, long offset) throws IOException {
    ByteBuffer bytes = block.segment().asByteBuffer();
    while (bytes.hasRemaining()) {
      if (file.read(bytes, offset + bytes.position()) < 0) {
        throw new EOFException("it ends at byte " + (offset + bytes.position()));
      }
    }
    long layerBytes = cache.blockBytes();
    for (int layer = 0; layer < layers; layer++) {
      cache.copyIn(stream, layer, group, to, block, layer * layerBytes, layerBytes);
    }
    stream.synchronize();
  }

  @Override
  public void close() {
    stream.close();
    block.close();
    try {
      file.close();
    } catch (IOException e) {
      throw new UncheckedIOException("the file of swapped KV cache cannot be closed", e);
    }
  }
}
