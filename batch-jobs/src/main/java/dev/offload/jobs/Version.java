package dev.offload.jobs;

import picocli.CommandLine.IVersionProvider;

/** The version of this build and of the Java it runs on. */
final class Version implements IVersionProvider {
  @Override
  public String[] getVersion() {
    String version = Version.class.getPackage().getImplementationVersion();
    return new String[] {
      "offload " + (version == null ? "(development build)" : version),
      "Java " + Runtime.version() + " on " + System.getProperty("os.name")
    };
  }
}
