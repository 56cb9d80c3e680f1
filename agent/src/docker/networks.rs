//! Bridge networks with a subnet of our choice, and who is on them.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use bollard::models::{
    EndpointIpamConfig, EndpointSettings, Ipam, IpamConfig, NetworkConnectRequest, NetworkCreateRequest,
    NetworkDisconnectRequest,
};

use super::{DockerError, Engine, found};

/// A network as the engine has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkFacts {
    /// Content of the `name` field.
    pub name: String,
    /// Every subnet, as text.
    pub subnets: Vec<String>,
    /// Addresses in use by running containers.
    pub addresses: Vec<Ipv4Addr>,
    /// Its labels.
    pub labels: HashMap<String, String>,
}

impl Engine {
    /// One network.
    pub async fn network(&self, name: &str) -> Result<Option<NetworkFacts>, DockerError> {
        let options = None::<bollard::query_parameters::InspectNetworkOptions>;
        let Some(network) = found(self.api.inspect_network(name, options).await)? else {
            return Ok(None);
        };
        let addresses = network
            .containers
            .unwrap_or_default()
            .into_values()
            .filter_map(|endpoint| endpoint.ipv4_address?.split('/').next()?.parse().ok());
        Ok(Some(NetworkFacts {
            name: network.name.unwrap_or_default(),
            subnets: subnets(network.ipam),
            addresses: addresses.collect(),
            labels: network.labels.unwrap_or_default(),
        }))
    }

    /// Every network, without who is on it.
    pub async fn networks(&self) -> Result<Vec<NetworkFacts>, DockerError> {
        let options = None::<bollard::query_parameters::ListNetworksOptions>;
        let listed = self.api.list_networks(options).await?;
        Ok(listed
            .into_iter()
            .map(|network| NetworkFacts {
                name: network.name.unwrap_or_default(),
                subnets: subnets(network.ipam),
                addresses: Vec::new(),
                labels: network.labels.unwrap_or_default(),
            })
            .collect())
    }

    /// Makes a bridge whose own assignments come from `range`, so that the rest of `subnet` is ours to give.
    pub async fn create_network(
        &self,
        name: &str,
        subnet: &str,
        range: &str,
        mtu: Option<u32>,
        labels: &[(String, String)],
    ) -> Result<(), DockerError> {
        let pool = IpamConfig {
            subnet: Some(subnet.to_owned()),
            ip_range: Some(range.to_owned()),
            ..Default::default()
        };
        let options =
            mtu.map(|mtu| HashMap::from([("com.docker.network.driver.mtu".to_owned(), mtu.to_string())]));
        let request = NetworkCreateRequest {
            name: name.to_owned(),
            driver: Some("bridge".to_owned()),
            ipam: Some(Ipam { config: Some(vec![pool]), ..Default::default() }),
            options,
            labels: Some(labels.iter().cloned().collect()),
            ..Default::default()
        };
        self.api.create_network(request).await?;
        Ok(())
    }

    /// Removes a network that nobody is on; a missing one is fine.
    pub async fn remove_network(&self, name: &str) -> Result<(), DockerError> {
        found(self.api.remove_network(name).await).map(|_| ())
    }

    /// Puts a container on a network, at a fixed address if one is given, under the given names.
    pub async fn attach(
        &self,
        network: &str,
        container: &str,
        address: Option<Ipv4Addr>,
        aliases: &[String],
    ) -> Result<(), DockerError> {
        let request = NetworkConnectRequest {
            container: container.to_owned(),
            endpoint_config: Some(endpoint(address, aliases)),
        };
        Ok(self.api.connect_network(network, request).await?)
    }

    /// Takes a container off a network; one that is not on it is fine.
    pub async fn detach(&self, network: &str, container: &str) -> Result<(), DockerError> {
        let request = NetworkDisconnectRequest { container: container.to_owned(), force: Some(true) };
        match self.api.disconnect_network(network, request).await.map_err(DockerError::from) {
            Ok(()) => Ok(()),
            Err(error) if error.is_missing() => Ok(()),
            Err(DockerError::Refused { message, .. }) if message.contains("not connected") => Ok(()),
            Err(error) => Err(error),
        }
    }
}

pub(super) fn endpoint(address: Option<Ipv4Addr>, aliases: &[String]) -> EndpointSettings {
    EndpointSettings {
        ipam_config: address.map(|address| EndpointIpamConfig {
            ipv4_address: Some(address.to_string()),
            ..Default::default()
        }),
        aliases: (!aliases.is_empty()).then(|| aliases.to_vec()),
        ..Default::default()
    }
}

fn subnets(ipam: Option<Ipam>) -> Vec<String> {
    let configs = ipam.and_then(|ipam| ipam.config).unwrap_or_default();
    configs.into_iter().filter_map(|config| config.subnet).collect()
}
