"""File servers: nginx, Apache, Tomcat and Caddy on a folder, with their DAV or PUT where they have it."""

from __future__ import annotations

import os
import time
from pathlib import Path

from benchmarks.peers.notes import FIRST
from tools.ports import free_port
from tools.recording import components

__all__ = ["FILE_SERVERS", "folder_with_file"]


def folder_with_file(directory: Path) -> Path:
    """Make a folder with the resource as a file that is old enough for a strong tag."""
    folder = directory / "files"
    folder.mkdir()
    folder.chmod(0o777)
    file = folder / "resource"
    file.write_bytes(FIRST)
    file.chmod(0o666)
    long_ago = time.time() - 86_400
    os.utime(file, (long_ago, long_ago))
    return folder


def nginx(directory: Path, folder: Path) -> components.Running:
    location = f"location / {{ root {folder}; dav_methods PUT DELETE; create_full_put_path on; }}"
    return components.start_nginx(directory, location)


def apache(directory: Path, folder: Path) -> components.Running:
    body = f"DocumentRoot {folder}\nDavLockDB DIR/lock\n<Directory {folder}>\nDav On\n</Directory>"
    return components.start_apache(directory, body)


def caddy(directory: Path, folder: Path) -> components.Running:
    return components.start_caddy(directory, f" root * {folder}\n file_server")


WEB_XML = """<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0">
<servlet><servlet-name>default</servlet-name>
<servlet-class>org.apache.catalina.servlets.DefaultServlet</servlet-class>
<init-param><param-name>readonly</param-name><param-value>false</param-value></init-param>
<init-param><param-name>useStrongETags</param-name><param-value>true</param-value></init-param>
</servlet>
<servlet-mapping><servlet-name>default</servlet-name><url-pattern>/</url-pattern></servlet-mapping>
</web-app>"""


def tomcat(directory: Path, folder: Path) -> components.Running:
    port = free_port()
    for name in ("conf", "logs", "temp", "work"):
        (directory / name).mkdir()
    (directory / "conf" / "web.xml").write_text(WEB_XML)
    (directory / "conf" / "server.xml").write_text(
        f'<Server port="-1"><Service name="Catalina"><Connector address="127.0.0.1" port="{port}"/>'
        '<Engine name="Catalina" defaultHost="localhost"><Host name="localhost" appBase="none">'
        f'<Context path="" docBase="{folder}"/></Host></Engine></Service></Server>'
    )
    home = Path("/usr/share/tomcat10")
    classes = ":".join(str(home / "bin" / name) for name in ("bootstrap.jar", "tomcat-juli.jar"))
    options = ["-Xmx192m", f"-Dcatalina.home={home}", f"-Dcatalina.base={directory}"]
    main = "org.apache.catalina.startup.Bootstrap"
    return components.start("java", [*options, "-cp", classes, main, "start"], directory, port)


Start = "Callable[[Path, Path], components.Running]"
FILE_SERVERS = {"nginx": nginx, "apache2": apache, "caddy": caddy, "tomcat": tomcat}
