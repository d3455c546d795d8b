package dev.offload.jobs;

import picocli.CommandLine.IVersionProvider;

/** The version of this build and of the Java it runs on. */
final class Version implements IVersionProvider {
  @Override
  public String[] getVersion() {
    return new String[] {
      "offload " + number(), "Java " + Runtime.version() + " on " + System.getProperty("os.name")
    };
  }

  /** The version of this build. */
  static String number() {
    String version = Version.class.getPackage().getImplementationVersion();
    return version == null ? "(development build)" : version;
  }
}
