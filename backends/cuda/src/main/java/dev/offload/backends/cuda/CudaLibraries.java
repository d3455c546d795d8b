package dev.offload.backends.cuda;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Where cuBLAS and NVRTC are: folders that the user names, those of the environment, the usual
 * ones, those of Python's packages, and last whatever the loader of the operating system finds.
 */
final class CudaLibraries {

  /** Major versions of CUDA whose libraries have the functions that are called, newest first. */
  private static final List<Integer> MAJORS = List.of(13, 12);

  private static final String USUAL_TOOLKITS = "/usr/local";
  private static final List<String> USUAL_FOLDERS =
      List.of("/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/opt/cuda/lib64");
  private static final int MOST_LINKS = 8;
  private static final List<String> PYTHON_ROOTS = List.of("/usr/local/lib", "/usr/lib");

  private final List<Path> folders;

  CudaLibraries(List<Path> folders) {
    this.folders = List.copyOf(folders);
  }

  /**
   * The folders to look into, in this order.
   *
   * @param configured folders that the user names, apart by {@code :}; may be empty
   * @param environment variables of the process
   * @param home folder of the user
   */
  static CudaLibraries of(String configured, Map<String, String> environment, Path home) {
    Set<Path> folders = new LinkedHashSet<>();
    addToolkits(folders, configured);
    addToolkits(folders, environment.getOrDefault("CUDA_HOME", ""));
    addToolkits(folders, environment.getOrDefault("CUDA_PATH", ""));
    paths(environment.getOrDefault("LD_LIBRARY_PATH", "")).forEach(folders::add);
    for (Path toolkit : matching(Path.of(USUAL_TOOLKITS), "cuda*").reversed()) {
      addToolkit(folders, toolkit);
    }
    USUAL_FOLDERS.forEach(folder -> folders.add(Path.of(folder)));
    paths(environment.getOrDefault("CONDA_PREFIX", ""))
        .forEach(
            prefix -> {
              folders.add(prefix.resolve("lib"));
              addPython(folders, prefix.resolve("lib"));
            });
    paths(environment.getOrDefault("VIRTUAL_ENV", ""))
        .forEach(prefix -> addPython(folders, prefix.resolve("lib")));
    paths(environment.getOrDefault("PATH", ""))
        .forEach(programs -> addPythonOf(folders, programs.resolve("python3")));
    addPython(folders, home.resolve(".local/lib"));
    PYTHON_ROOTS.forEach(root -> addPython(folders, Path.of(root)));
    return new CudaLibraries(List.copyOf(folders));
  }

  private static void addToolkits(Set<Path> folders, String texts) {
    paths(texts).forEach(toolkit -> addToolkit(folders, toolkit));
  }

  /** A toolkit, or a folder of libraries itself. */
  private static void addToolkit(Set<Path> folders, Path toolkit) {
    folders.add(toolkit);
    folders.add(toolkit.resolve("lib64"));
    folders.add(toolkit.resolve("lib"));
    folders.add(toolkit.resolve("targets/x86_64-linux/lib"));
  }

  /** Wheels of NVIDIA below {@code python3.x/site-packages/nvidia}. */
  private static void addPython(Set<Path> folders, Path root) {
    for (Path python : matching(root, "python3*").reversed()) {
      for (Path packages : matching(python, "*-packages")) {
        for (Path part : matching(packages.resolve("nvidia"), "*")) {
          folders.add(part.resolve("lib"));
        }
      }
    }
  }

  /** The environments that an interpreter, or a link to it, is in, also where none is active. */
  private static void addPythonOf(Set<Path> folders, Path python) {
    Path program = python.toAbsolutePath().normalize();
    for (int links = 0; Files.isExecutable(program) && links < MOST_LINKS; links++) {
      addPython(folders, program.getParent().resolveSibling("lib"));
      try {
        program = program.resolveSibling(Files.readSymbolicLink(program)).normalize();
      } catch (IOException e) {
        return; // the program itself
      }
    }
  }

  private static List<Path> paths(String text) {
    List<Path> paths = new ArrayList<>();
    for (String part : text.split(":", -1)) {
      try {
        if (!part.isBlank()) {
          paths.add(Path.of(part));
        }
      } catch (InvalidPathException e) {
        // no file is there
      }
    }
    return paths;
  }

  private static List<Path> matching(Path folder, String glob) {
    List<Path> found = new ArrayList<>();
    if (Files.isDirectory(folder)) {
      try (DirectoryStream<Path> all = Files.newDirectoryStream(folder, glob)) {
        all.forEach(found::add);
      } catch (IOException e) {
        return List.of(); // nothing that we may read
      }
    }
    found.sort(null);
    return found;
  }

  List<Path> folders() {
    return folders;
  }

  /**
   * A library, the newest that the driver can work with.
   *
   * @param name as {@code cublas}
   * @param driverVersion of CUDA, 13000 for 13.0
   */
  Optional<Path> find(String name, int driverVersion) {
    return names(name, driverVersion).stream()
        .flatMap(file -> folders.stream().map(folder -> folder.resolve(file)))
        .filter(Files::isRegularFile)
        .findFirst();
  }

  /** File names of the versions that the driver can work with, newest first. */
  static List<String> names(String name, int driverVersion) {
    return MAJORS.stream()
        .filter(major -> major <= driverVersion / 1000)
        .map(major -> "lib%s.so.%d".formatted(name, major))
        .toList();
  }

  /**
   * Loads a library, and before it those beside it that it needs. It stays loaded: the driver keeps
   * addresses in it.
   *
   * @param name as {@code cublas}
   * @param needs beginnings of the names of files that it loads itself, as {@code libcublasLt.so}
   * @return empty if it is not there
   * @throws IllegalStateException if it is there but does not load
   */
  Optional<SymbolLookup> open(String name, int driverVersion, List<String> needs) {
    Optional<Path> file = find(name, driverVersion);
    if (file.isEmpty()) {
      return openByName(name, driverVersion);
    }
    try {
      for (String need : needs) {
        for (Path neighbour : matching(file.get().toAbsolutePath().getParent(), need + ".*")) {
          if (majorOf(neighbour).equals(majorOf(file.get()))) {
            load(neighbour);
          }
        }
      }
      return Optional.of(load(file.get().toAbsolutePath()));
    } catch (IllegalArgumentException e) {
      throw new IllegalStateException(
          "%s cannot be loaded: %s".formatted(file.get(), e.getMessage()), e);
    }
  }

  private static SymbolLookup load(Path file) {
    return SymbolLookup.libraryLookup(file, Arena.ofShared());
  }

  /** The number behind {@code .so.}, up to the next point. */
  private static String majorOf(Path file) {
    String name = file.getFileName().toString();
    return name.substring(name.indexOf(".so.") + 4).split("\\.", 2)[0];
  }

  private static Optional<SymbolLookup> openByName(String name, int driverVersion) {
    for (String file : names(name, driverVersion)) {
      try {
        return Optional.of(SymbolLookup.libraryLookup(file, Arena.ofShared()));
      } catch (IllegalArgumentException e) {
        // the loader does not know it
      }
    }
    return Optional.empty();
  }
}
