/// The version of every program of this package.
package let snapshotVersion = "0.3.0"
