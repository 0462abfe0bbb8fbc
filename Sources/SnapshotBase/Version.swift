/// The version of every program of this package.
package let snapshotVersion = "0.2.2"
