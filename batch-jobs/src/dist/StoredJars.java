import java.io.BufferedOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * Copies jars into an image: without what is for other machines, and not compressed, because the archive of the whole
 * packs better what is not packed yet.
 *
 * <p>Usage: {@code java StoredJars.java FROM TO}, both folders.
 */
final class StoredJars {

  private static final Pattern NATIVE = Pattern.compile(".*\\.(so(\\W.*|_\\w+)?|dll|dylib|jnilib|a|lib|exe)");
  private static final Pattern LINUX = Pattern.compile("(?i).*linux.*");
  private static final Pattern X86_64 = Pattern.compile(".*(x86[-_]64|amd64|x64).*");

  /**
   * Bindings of oneDNN for C++ and JNI, whose C functions the program calls, and those of CUDA's libraries but the
   * driver's.
   */
  private static final Pattern UNUSED =
      Pattern.compile("org/bytedeco/.*(/include/.*|/libjni\\w+\\.so)|lib/libJ(CudaRuntime|Nvrtc|NvPTXCompiler)-.*");

  private StoredJars() {}

  public static void main(String[] arguments) throws IOException {
    Path from = Path.of(arguments[0]);
    Path to = Path.of(arguments[1]);
    try (Stream<Path> files = Files.list(from)) {
      for (Path jar : files.filter(file -> file.toString().endsWith(".jar")).sorted().toList()) {
        copy(jar, to.resolve(jar.getFileName()));
      }
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    try (ZipFile jar = new ZipFile(from.toFile());
        ZipOutputStream out = new ZipOutputStream(new BufferedOutputStream(Files.newOutputStream(to)))) {
      out.setMethod(ZipOutputStream.STORED);
      List<? extends ZipEntry> entries =
          jar.stream()
              .filter(entry -> !entry.isDirectory() && isWanted(entry.getName()))
              .sorted(Comparator.comparing(ZipEntry::getName))
              .toList();
      for (ZipEntry entry : entries) {
        byte[] content = jar.getInputStream(entry).readAllBytes();
        CRC32 sum = new CRC32();
        sum.update(content);
        ZipEntry stored = new ZipEntry(entry.getName());
        stored.setTimeLocal(java.time.LocalDateTime.of(2026, 1, 1, 0, 0));
        stored.setSize(content.length);
        stored.setCrc(sum.getValue());
        out.putNextEntry(stored);
        out.write(content);
        out.closeEntry();
      }
    }
  }

  private static boolean isWanted(String name) {
    if (UNUSED.matcher(name).matches()) {
      return false;
    }
    return !NATIVE.matcher(name).matches()
        || (LINUX.matcher(name).matches() && X86_64.matcher(name).matches());
  }
}
