// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {SSTORE2} from "solady/utils/SSTORE2.sol";

/// @title PixelNft
/// @notice An NFT whose picture is on chain: 8 x 8 grey values as canonical f32, big-endian, row by row. Anyone may mint.
/// @dev A picture never changes, so what was said about it stays said about it. Values are not checked here: the model
/// that looks at them has ranges of its own.
contract PixelNft is ERC721 {
    uint256 public constant PICTURE_BYTES = 256;

    uint256 public minted;
    mapping(uint256 tokenId => address) private _pictures;

    event Minted(uint256 indexed tokenId, address indexed owner, bytes picture);

    error WrongPictureLength(uint256 received, uint256 expected);

    constructor() ERC721("Pixels", "PIX") {}

    /// @notice Gives `owner` a new token with this picture; returns its id, counted from 0.
    function mint(address owner, bytes calldata picture) external returns (uint256 tokenId) {
        if (picture.length != PICTURE_BYTES) revert WrongPictureLength(picture.length, PICTURE_BYTES);
        tokenId = minted++;
        _pictures[tokenId] = SSTORE2.write(picture);
        emit Minted(tokenId, owner, picture);
        _mint(owner, tokenId);
    }

    /// @notice The 256 bytes of a token's picture. Reverts for a token that does not exist.
    function pictureOf(uint256 tokenId) external view returns (bytes memory) {
        _requireOwned(tokenId);
        return SSTORE2.read(_pictures[tokenId]);
    }
}
