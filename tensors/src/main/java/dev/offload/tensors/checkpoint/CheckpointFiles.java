package dev.offload.tensors.checkpoint;

import dev.offload.tensors.ModelException;
import dev.offload.tensors.json.JsonFields;
import dev.offload.tensors.json.StrictJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** Finds the weight files of a folder and which tensors each is to hold. */
final class CheckpointFiles {
  static final String SINGLE = "model.safetensors";
  static final String INDEX = "model.safetensors.index.json";
  private static final long MAX_INDEX_BYTES = 256L << 20;
  private static final List<String> OTHER_FORMATS = List.of(".bin", ".gguf", ".pt", ".pth", ".h5");

  /** Tensor names by file; an empty value means all that the file holds. */
  private final Map<Path, Optional<Set<String>>> tensorsByFile = new LinkedHashMap<>();

  private final Path folder;

  private CheckpointFiles(Path folder) {
    this.folder = folder;
  }

  static CheckpointFiles of(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new ModelException(folder + ": is no folder; name the folder that holds config.json");
    }
    CheckpointFiles files = new CheckpointFiles(folder);
    if (Files.exists(folder.resolve(SINGLE))) {
      files.tensorsByFile.put(files.inside(SINGLE), Optional.empty());
    } else if (Files.exists(folder.resolve(INDEX))) {
      files.readIndex(folder.resolve(INDEX));
    } else {
      throw new ModelException(
          "%s: holds neither %s nor %s%s"
              .formatted(folder, SINGLE, INDEX, files.hintAtOtherFormats()));
    }
    return files;
  }

  Iterable<Path> files() {
    return tensorsByFile.keySet();
  }

  Optional<Set<String>> tensorsOf(Path file) {
    return tensorsByFile.get(file);
  }

  private void readIndex(Path index) throws IOException {
    JsonFields map =
        StrictJson.readObject(index, MAX_INDEX_BYTES)
            .object("weight_map")
            .orElseThrow(
                () -> new ModelException(index + ": weight_map is missing; download it again"));
    Map<String, Path> files = new LinkedHashMap<>();
    for (String tensor : map.names()) {
      String shard = map.text(tensor).orElseThrow();
      Path file = files.get(shard);
      if (file == null) {
        file = shard(map, tensor, shard);
        files.put(shard, file);
        tensorsByFile.put(file, Optional.of(new TreeSet<>()));
      }
      tensorsByFile.get(file).orElseThrow().add(tensor);
    }
    if (tensorsByFile.isEmpty()) {
      throw new ModelException(index + ": weight_map is empty; download it again");
    }
  }

  private Path shard(JsonFields map, String tensor, String shard) throws IOException {
    if (!isPlainName(shard)) {
      throw map.refuse(tensor, "must be the plain name of a file in the same folder");
    }
    if (!Files.exists(folder.resolve(shard))) {
      throw map.refuse(tensor, "names a file that is missing; download it");
    }
    return inside(shard);
  }

  private static boolean isPlainName(String name) {
    try {
      Path path = Path.of(name);
      return !name.isEmpty()
          && !name.equals(".")
          && !name.equals("..")
          && name.indexOf('/') < 0
          && name.indexOf('\\') < 0
          && !path.isAbsolute()
          && path.getNameCount() == 1;
    } catch (InvalidPathException e) {
      return false;
    }
  }

  /**
   * A file of the folder. Links may lead elsewhere in the folder, or to {@code ../../blobs}, where
   * the download cache of Hugging Face keeps what {@code snapshots/REVISION} links to.
   */
  private Path inside(String name) throws IOException {
    Path file = folder.resolve(name);
    Path real = file.toRealPath();
    Path home = folder.toRealPath();
    if (!real.startsWith(home) && !isCacheBlob(real, home)) {
      throw new ModelException(
          "%s: is a link to %s outside of the model folder; put the file itself there"
              .formatted(file, real));
    }
    if (!Files.isRegularFile(real)) {
      throw new ModelException(file + ": is no regular file; put the weight file there");
    }
    return file;
  }

  private static boolean isCacheBlob(Path real, Path home) {
    Path snapshots = home.getParent();
    return snapshots != null
        && snapshots.endsWith("snapshots")
        && real.getParent().equals(snapshots.resolveSibling("blobs"));
  }

  private String hintAtOtherFormats() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> OTHER_FORMATS.stream().anyMatch(name::endsWith))
          .sorted()
          .findFirst()
          .map(name -> "; convert " + name + " to safetensors first")
          .orElse("; download the weights");
    }
  }
}
